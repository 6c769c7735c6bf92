"""The entry point of AutoGluon's training jobs."""

from tabular.start import begin

if __name__ == "__main__":
    begin("fitting")
