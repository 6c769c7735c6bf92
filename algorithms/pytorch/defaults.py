"""The functions that the images of PyTorch have of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from algorithms.common.faults import UserError
from algorithms.script_mode import arrays

PREFERRED = "model.pt"
SUFFIXES = (".pt", ".pth")


def model_fn(model_dir: str) -> Any:
    """`model.pt`, or the only file of its kind, which has to be TorchScript."""
    import torch

    path = _file(Path(model_dir))
    try:
        return torch.jit.load(str(path), map_location=_device()).to(_device())
    except RuntimeError as error:
        raise UserError(
            f"Failed to load {path}. Please ensure model is saved using torchscript: torch.jit.script(model).save(…). "
            "Or give a script (entry_point) with a model_fn that knows how to load it."
        ) from error


def _file(folder: Path) -> Path:
    if (folder / PREFERRED).exists():
        return folder / PREFERRED
    found = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix in SUFFIXES)
    if len(found) != 1:
        raise UserError(
            f"Exactly one .pth or .pt file is required for PyTorch models: {[path.name for path in found]}. Or give a "
            "script (entry_point) with a model_fn."
        )
    return found[0]


def input_fn(input_data: Any, content_type: str) -> Any:
    """JSON and CSV as a FloatTensor, NPY with the numbers' own type."""
    import torch

    array = arrays.decode(input_data, content_type)
    tensor = torch.FloatTensor(array) if content_type in arrays.TEXTS else torch.from_numpy(array)
    return tensor.to(_device())


def predict_fn(data: Any, model: Any) -> Any:
    """The model called in evaluation mode, without gradients."""
    import torch

    with torch.no_grad():
        model = model.to(_device())
        given = data.to(_device())
        model.eval()
        return model(given)


def output_fn(prediction: Any, accept: str) -> Any:
    """The first of the accepted types that is JSON, CSV or NPY. (The answer's type is all that was accepted.)"""
    import torch

    if type(prediction) is torch.Tensor:
        prediction = prediction.detach().cpu().numpy().tolist()
    for content_type in accept.replace(" ", "").split(","):
        if content_type in arrays.WRITERS:
            return arrays.encode(prediction, content_type)
    raise arrays.UnsupportedFormatError(accept)


def _device() -> Any:
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
