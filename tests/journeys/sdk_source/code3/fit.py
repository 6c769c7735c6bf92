"""What a user of ModelTrainer writes: hyperparameters as arguments, channels and folders from the environment."""

import argparse
import os

import joblib
import numpy
from sklearn.linear_model import Ridge

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--note", default="none")
    parser.add_argument("--fail", default="")
    given = parser.parse_args()
    if given.fail:
        raise ValueError(given.fail)
    rows = numpy.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "rows.csv"), delimiter=",")
    model = Ridge(alpha=given.alpha).fit(rows[:, 1:], rows[:, 0])
    print(f"noted {given.note} on {os.environ['SM_CURRENT_HOST']}; score={model.score(rows[:, 1:], rows[:, 0]):.4f};")
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
