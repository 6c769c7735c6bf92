"""The command line as people use it: with pipes."""

import subprocess
import sys


def test_a_reader_that_has_enough_is_no_error(client, training_data):
    job = client.train(training_data)
    words = [sys.executable, "-m", "sagelet", "logs", job["TrainingJobName"], "--data-dir", client.server.data_dir]
    command = " ".join(map(str, words))
    told = subprocess.run(["bash", "-c", f"{command} | true; {command} | tail -n 1"], capture_output=True, text=True)
    assert told.stdout.strip() and not told.stderr
