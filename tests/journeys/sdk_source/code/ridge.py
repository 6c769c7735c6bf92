"""What a user of the scikit-learn estimator writes: a module of its own beside it, another one by `dependencies=`."""

import argparse
import os

import joblib
import numpy
from columns import split
from more import WORD
from sklearn.linear_model import Ridge


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--note")
    parser.add_argument("--fail", default="")
    given = parser.parse_args()
    if given.fail:
        raise ValueError(given.fail)
    label, features = split(numpy.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "rows.csv"), delimiter=","))
    model = Ridge(alpha=given.alpha).fit(features, label)
    print(f"noted {given.note} {WORD}; score={model.score(features, label):.4f};")
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
