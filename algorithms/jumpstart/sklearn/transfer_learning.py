"""The entry point of training jobs of the linear models."""

from tabular.start import begin

if __name__ == "__main__":
    begin("fitting")
