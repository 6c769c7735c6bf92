"""The functions that the images of XGBoost have of their own when a script serves."""

from __future__ import annotations

from typing import Any

import xgboost  # First: the payload would import it without pandas, which scripts may want.

from algorithms.common import content_types
from algorithms.common.faults import UserError
from algorithms.script_mode import arrays
from algorithms.xgboost import requests

FORMATS = ("text/csv", "text/libsvm", "text/x-libsvm", "application/x-recordio-protobuf")
ANY_WIDTH = 0


def model_fn(model_dir: str) -> Any:
    """There is no default: only the script knows what it saved."""
    raise UserError(
        "Please provide a model_fn implementation: the script defines none, and only it knows what it saved. For "
        'example: def model_fn(model_dir): return xgboost.Booster(model_file=os.path.join(model_dir, "xgboost-model")).'
    )


def input_fn(input_data: Any, content_type: str) -> Any:
    """CSV, libsvm or recordio-protobuf as a DMatrix."""
    kind = content_types.parse(content_type)
    if kind.media not in FORMATS:
        raise arrays.UnsupportedFormatError(kind.media)
    body = input_data.encode() if isinstance(input_data, str) else input_data
    return xgboost.DMatrix(requests.READERS[kind.format](body, ANY_WIDTH))


def predict_fn(input_data: Any, model: Any) -> Any:
    """The booster's own prediction."""
    return model.predict(input_data, validate_features=False)


def output_fn(prediction: Any, accept: str) -> tuple[Any, str]:
    """JSON, CSV or NPY."""
    return arrays.encode_older(prediction, accept), accept
