"""The script that `python -I` runs: as a zygote, or as what starts a program inside bwrap. The rest is imported."""

import json
import sys


def main() -> None:
    task = json.loads(sys.argv[1])
    rooms = __file__.rsplit("/", 4)[0]
    sys.path[:0] = [rooms, *(p for p in task["path"] if p not in sys.path)]
    if task["role"] == "program":
        from emulator.executors.process import program

        sys.exit(program.run(task["program"], tuple(task["arguments"])))
    if task["role"] == "command":
        from emulator.executors.process import program

        program.execute(task["words"], task["problems"], task["prepare"])
    from emulator.executors.process import warm

    warm.main(task)


if __name__ == "__main__":
    main()
