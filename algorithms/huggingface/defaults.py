"""The functions that the images of Hugging Face have of their own: a pipeline of the files in the model archive."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from algorithms.common.faults import UserError
from algorithms.huggingface import bodies

TASKS = {
    "TapasForQuestionAnswering": "table-question-answering",
    "ForQuestionAnswering": "question-answering",
    "ForTokenClassification": "token-classification",
    "ForSequenceClassification": "text-classification",
    "ForMultipleChoice": "multiple-choice",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "MTModel": "text2text-generation",
    "EncoderDecoderModel": "text2text-generation",
    "GPT2LMHeadModel": "text-generation",
    "T5WithLMHeadModel": "text2text-generation",
}
"""What a model is for, by the end of its architecture's name; of several that fit, the last counts."""
FROM_FEATURES = (
    "automatic-speech-recognition", "image-segmentation", "image-classification", "audio-classification",
    "object-detection", "zero-shot-image-classification",
)  # fmt: skip
NO_TABLES = ("zero-shot-classification", "table-question-answering")


def model_fn(model_dir: str) -> Any:
    """The pipeline of HF_TASK, or of the architecture that config.json names."""
    folder = Path(model_dir)
    if not (folder / "config.json").is_file():
        raise UserError(_without_files(folder))
    task = os.environ.get("HF_TASK") or _task(folder / "config.json")
    os.environ["HF_TASK"] = task
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import transformers

    parts = "feature_extractor" if task in FROM_FEATURES else "tokenizer"
    trusted = os.environ.get("HF_TRUST_REMOTE_CODE", "").lower() in ("y", "yes", "t", "true", "on", "1")
    try:
        return transformers.pipeline(
            task=task, model=model_dir, device=_device(), trust_remote_code=trusted, **{parts: model_dir}
        )
    except KeyError as error:
        raise UserError(
            f"HF_TASK {task} is no pipeline of transformers {transformers.__version__}: {error.args[0]}. Set another "
            "HF_TASK, or give a script (entry_point) with a model_fn."
        ) from error


def _without_files(folder: Path) -> str:
    hub = os.environ.get("HF_MODEL_ID")
    if hub:
        return (
            f"HF_MODEL_ID {hub} is not fetched: models of the Hugging Face Hub are not downloaded here. Save the model "
            "and its tokenizer with save_pretrained, pack them into model.tar.gz, and give that as model_data."
        )
    there = sorted(path.name for path in folder.iterdir())
    return (
        f"The model archive holds no config.json at its top (it holds: {', '.join(there) or 'nothing'}). Save the "
        "model and its tokenizer there with save_pretrained, or give a script (entry_point) with a model_fn."
    )


def _task(config: Path) -> str:
    architecture = (json.loads(config.read_text(encoding="utf-8")).get("architectures") or [""])[0]
    fitting = [task for end, task in TASKS.items() if architecture.endswith(end)]
    if not fitting:
        raise UserError(
            f"No task is known for the architecture {architecture or '(none)'} of config.json. Set HF_TASK in the "
            "model's Environment, such as text-classification."
        )
    return fitting[-1]


def _device() -> int:
    import torch

    return 0 if torch.cuda.is_available() else -1


def input_fn(input_data: Any, content_type: str | None) -> Any:
    """JSON, CSV with a header, NPY, images and sound."""
    task = os.environ.get("HF_TASK")
    if task in NO_TABLES and content_type == bodies.CSV:
        raise ValueError(f"content type {content_type} not support with {task}, use different content_type")
    return bodies.decode(input_data, content_type)


def predict_fn(data: Any, model: Any) -> Any:
    """The pipeline called with `inputs`, and with `parameters` as its options."""
    inputs = data.pop("inputs", data)
    return model(inputs, **(data.pop("parameters", None) or {}))


def output_fn(prediction: Any, accept: str) -> Any:
    """JSON, CSV of a list of mappings, NPY, or an image."""
    return bodies.encode(prediction, accept)
