"""The entry point of training jobs of XGBoost."""

from tabular.start import begin

if __name__ == "__main__":
    begin("fitting")
