"""What an executor tells of an end is in the FailureReason."""

from emulator.jobs.failure import judged
from emulator.ports import Exit, ExitReason, LogLine


def test_what_the_executor_tells_of_the_end_comes_first() -> None:
    over = Exit(ExitReason.EXITED, -9, "The program used more memory than its host has (8 GiB).")
    told = judged(over, "image", b"", [LogLine(1, "epoch 3")])
    assert told == (
        "AlgorithmError: The program used more memory than its host has (8 GiB). exit code: 137. "
        "The last lines of the log:\nepoch 3"
    )
