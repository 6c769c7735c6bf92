"""XGBoost with a script, which reads its data as the image's own functions do."""

import argparse
import os

import xgboost
from sagemaker_xgboost_container.data_utils import get_dmatrix


def model_fn(model_dir):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(model_dir, "xgboost-model"))
    return booster


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_depth", type=int)
    given = parser.parse_args()
    rows = get_dmatrix(os.environ["SM_CHANNEL_TRAIN"], "text/csv")
    booster = xgboost.train({"max_depth": given.max_depth, "nthread": 1}, rows, 20)
    booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "xgboost-model"))
