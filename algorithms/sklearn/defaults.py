"""The functions that the images of scikit-learn have of their own."""

from __future__ import annotations

from typing import Any

from algorithms.common.faults import UserError
from algorithms.script_mode import arrays


def model_fn(model_dir: str) -> Any:
    """There is no default: only the script knows what it saved."""
    raise UserError(
        "Please provide a model_fn implementation: the script defines none, and only it knows what it saved. For "
        'example: def model_fn(model_dir): return joblib.load(os.path.join(model_dir, "model.joblib")). '
        "See https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html#load-a-model"
    )


def input_fn(input_data: Any, content_type: str) -> Any:
    """JSON and CSV as an array of float32, NPY as it is."""
    import numpy

    array = arrays.decode_older(input_data, content_type)
    return array.astype(numpy.float32) if content_type in arrays.TEXTS else array


def predict_fn(input_data: Any, model: Any) -> Any:
    """The estimator's own prediction."""
    return model.predict(input_data)


def output_fn(prediction: Any, accept: str) -> tuple[Any, str]:
    """JSON, CSV or NPY."""
    return arrays.encode_older(prediction, accept), accept
