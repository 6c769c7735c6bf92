"""The entry point of TabTransformer's training jobs."""

from tabular.start import begin

if __name__ == "__main__":
    begin("fitting")
