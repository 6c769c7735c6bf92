"""A processing script: sums the first column into a file, with what arguments and neighbours it was given."""

import argparse
from pathlib import Path

import numpy

try:
    from columns import split
except ImportError:  # ScriptProcessor brings the one file alone
    split = None

parser = argparse.ArgumentParser()
parser.add_argument("--scale", type=float)
given = parser.parse_args()
rows = numpy.loadtxt("/opt/ml/processing/input/rows/rows.csv", delimiter=",")
label = split(rows)[0] if split else rows[:, 0]
out = Path("/opt/ml/processing/output")
(out / "sum.txt").write_text(f"{(label * given.scale).sum():.3f} {'with' if split else 'without'}")
