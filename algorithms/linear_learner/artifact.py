"""`model_algo-1` of Linear Learner: a ZIP of an MXNet module, which users unpack and open by themselves.

`mx-mod-symbol.json` and `mx-mod-0000.params` are what `mx.mod.Module.load('mx-mod', 0)` and gluon's `SymbolBlock` load;
what the module cannot say (the threshold) stands in `additional-params.json`. The layout of a symbol is that of
https://github.com/apache/mxnet/blob/v1.9.x/src/nnvm/legacy_json_util.cc.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.linear_learner.model import Linear

EXTRA, MANIFEST, SYMBOL, PARAMETERS = (
    "additional-params.json", "manifest.json", "mx-mod-symbol.json", "mx-mod-0000.params",
)  # fmt: skip
WEIGHT, BIAS = "arg:fc0_weight", "arg:fc0_bias"
OUTPUTS = {"logistic": "LogisticRegressionOutput", "softmax_loss": "SoftmaxOutput"}
BORN = (1980, 1, 1, 0, 0, 0)
"""The time of the members: the same model is the same file."""


def write(model: Linear) -> bytes:
    """The file."""
    extra = {
        "predictor_type": model.predictor_type,
        "loss": model.loss,
        "feature_dim": model.features,
        "outputs": len(model.bias),
        "threshold": model.threshold,
    }
    members: Mapping[str, bytes] = {
        EXTRA: _json(extra),
        MANIFEST: _json({"algorithm": "linear-learner", "members": [EXTRA, SYMBOL, PARAMETERS]}),
        SYMBOL: _json(symbol(model.weights.shape, OUTPUTS.get(model.loss, "LinearRegressionOutput"))),
        PARAMETERS: ndarray_list.write({WEIGHT: model.weights, BIAS: model.bias}),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, BORN), content)
    return stream.getvalue()


def read(content: bytes, name: str) -> Linear:
    """The model of a file; UserError when it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            extra = json.loads(archive.read(EXTRA))
            arrays = ndarray_list.read(archive.read(PARAMETERS))
        assert isinstance(arrays, dict)
        weights, bias = arrays[WEIGHT].astype(np.float32), arrays[BIAS].astype(np.float32)
        model = Linear(extra["predictor_type"], extra["loss"], weights, bias, float(extra["threshold"]))
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, AssertionError) as error:
        raise UserError(
            f"'{name}' is no model of Linear Learner: it is to be a ZIP with {EXTRA}, {SYMBOL} and {PARAMETERS} as a "
            f"training job here writes it ({type(error).__name__}: {error})."
        ) from error
    if weights.ndim != 2 or bias.shape != weights.shape[:1]:
        raise UserError(f"'{name}' holds weights of shape {weights.shape} and a bias of shape {bias.shape}.")
    return model


def symbol(shape: tuple[int, ...], operator: str) -> dict[str, Any]:
    """The graph of an MXNet module: data, a row or several -> fc0 -> out."""

    def node(name: str, *inputs: int, op: str = "null", **attributes: str) -> dict[str, Any]:
        attrs = {"attrs": attributes} if attributes else {}
        return {"op": op, "name": name} | attrs | {"inputs": [[index, 0, 0] for index in inputs]}

    nodes = [
        node("data"),
        node("rows", 0, op="Reshape", shape=f"(-1, {shape[1]})"),
        node("fc0_weight"),
        node("fc0_bias"),
        node("fc0", 1, 2, 3, op="FullyConnected", num_hidden=str(shape[0])),
        node("out_label"),
        node("out", 4, 5, op=operator),
    ]
    return {
        "nodes": nodes,
        "arg_nodes": [0, 2, 3, 5],
        "node_row_ptr": list(range(len(nodes) + 1)),
        "heads": [[6, 0, 0]],
        "attrs": {"mxnet_version": ["int", 10901]},
    }


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=1).encode()
