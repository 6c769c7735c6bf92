"""Goes on from the checkpoint that an earlier job left, and counts; `--wait` is for who wants to stop it."""

import argparse
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--wait", type=int, default=0)
given = parser.parse_args()
checkpoint = Path("/opt/ml/checkpoints/count")
count = int(checkpoint.read_text()) + 1 if checkpoint.exists() else 1
checkpoint.parent.mkdir(exist_ok=True, parents=True)
checkpoint.write_text(str(count))
print("count", count)
time.sleep(given.wait)
