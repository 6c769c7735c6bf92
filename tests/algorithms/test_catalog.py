"""The catalogue: which image means which algorithm, and which libraries are at odds."""

import importlib
import re
import subprocess
import sys

import pytest

from algorithms import catalog, run
from tests.algorithms.job import ROOT

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    "image",
    [
        f"{REGISTRY}/sagemaker-xgboost:1.7-1",
        "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.0-5",
        "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:0.90-1-cpu-py3",
        "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
        "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost",
        f"{REGISTRY}/sagemaker-xgboost@sha256:{'0' * 64}",
        f"{REGISTRY}/sagemaker-xgboost:1.7-1@sha256:{'0' * 64}",
        "sagemaker-xgboost:1.7-1",
        "localhost:5000/sagemaker-xgboost:1.7-1",
        "sagelet/xgboost:latest",
    ],
)
def test_xgboost_is_known_by_its_repository_alone(image):
    assert catalog.find(image).name == "xgboost"


def test_a_job_goes_on_from_a_checkpoint_where_the_guide_says_so():
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html: of XGBoost from 0.90-1 on."""
    goes_on = {
        name
        for algorithm in map(catalog.get, catalog.names())
        if algorithm.definition
        for name in algorithm.repositories
        if algorithm.goes_on(f"{REGISTRY}/{name}:1")
    }
    assert goes_on == {"image-classification", "object-detection", "semantic-segmentation", "sagemaker-xgboost"}
    xgboost = catalog.get("xgboost")
    assert xgboost.goes_on(f"{REGISTRY}/sagemaker-xgboost:0.90-1-cpu-py3")
    assert xgboost.goes_on(f"{REGISTRY}/sagemaker-xgboost:latest")
    assert not xgboost.goes_on(f"{REGISTRY}/xgboost:1")


def test_training_goes_on_from_a_model_where_the_guide_says_so():
    """https://docs.aws.amazon.com/sagemaker/latest/dg/incremental-training.html names three; XGBoost's is ours."""
    found = set()
    for algorithm in map(catalog.get, catalog.names()):
        module, _, name = algorithm.definition.partition(":")
        if module and getattr(importlib.import_module(module), name).incremental:
            found.add(algorithm.name)
    assert found == {"image_classification", "object_detection", "semantic_segmentation", "xgboost"}


@pytest.mark.parametrize(
    "image",
    [
        "",
        "my-team/xgboost:1",
        "my-xgboost:1",
        f"{REGISTRY}/my-team/sagemaker-xgboost:1",
        "sagemaker-xgboost-mine",
        ":1",
    ],
)
def test_other_images_are_not_taken_for_it(image):
    assert catalog.find(image) is None


@pytest.mark.parametrize(
    "repository",
    [
        "xgboost-neo:latest",
        "image-classification-neo",
        "sagemaker-neo-pytorch:1.12",
        "sagemaker-inference-mxnet:1.8-cpu",
    ],
)
def test_the_images_of_neo_mean_the_onnx_host(repository):
    assert catalog.find(f"785573368785.dkr.ecr.us-east-1.amazonaws.com/{repository}").name == "onnx_host"


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("sagemaker-xgboost:1.7-1", (1, 7, 1)),
        ("sagemaker-xgboost:0.90-1-cpu-py3", (0, 90, 1)),
        ("sagemaker-xgboost:1.3-1-arm64", (1, 3, 1)),
        ("sagemaker-xgboost:3.0-5", (3, 0, 5)),
        ("x.example/xgboost:1", (0, 72)),
        ("xgboost", (0, 72)),
        ("sagemaker-xgboost:latest", catalog.NEWEST),
        ("sagemaker-xgboost", catalog.NEWEST),
        ("", catalog.NEWEST),
    ],
)
def test_a_tag_says_the_version(image, version):
    assert catalog.get("xgboost").version(image) == version


def test_names_are_sorted_and_an_unknown_name_lists_them():
    assert catalog.names() == tuple(sorted(catalog.names()))
    assert {"xgboost", "onnx_host"} <= set(catalog.names())
    with pytest.raises(KeyError, match=r"onnx_host, .*xgboost"):
        catalog.get("nothing")


@pytest.mark.parametrize(
    ("image", "name", "asked"),
    [
        ("sagemaker-scikit-learn:1.2-1-cpu-py3", "sklearn", "1.2"),
        ("sagemaker-scikit-learn:0.23-1-cpu-py3", "sklearn", "0.23"),
        ("sagemaker-xgboost:1.7-1", "xgboost", "1.7"),
        ("xgboost:1", "xgboost", "0.72"),
        ("pytorch-training:2.1.0-cpu-py310", "pytorch", "2.1.0"),
        ("pytorch-training:2.5-cpu-py311-ubuntu22.04-sagemaker", "pytorch", "2.5"),
        ("pytorch-training-graviton:2.7.0-cpu-py312", "pytorch", "2.7.0"),
        ("sagemaker-pytorch:1.0.0-cpu-py3", "pytorch", "1.0.0"),
        ("tensorflow-training:2.13-gpu-py310", "tensorflow", "2.13"),
        ("sagemaker-tensorflow-scriptmode:1.15.2-cpu-py3", "tensorflow", "1.15.2"),
        ("huggingface-pytorch-training:2.1.0-transformers4.36.0-gpu-py310-cu121", "huggingface", "4.36.0"),
        ("huggingface-tensorflow-training:2.6.3-transformers4.17.0-gpu-py38", "huggingface_tensorflow", "4.17.0"),
        ("autogluon-training:1.2.0-cpu-py311", "autogluon", "1.2.0"),
        ("autogluon-inference:0.4-gpu-py38", "autogluon", "0.4"),
        ("sagemaker-scikit-learn:latest", "sklearn", ""),
        ("sagemaker-scikit-learn", "sklearn", ""),
    ],
)
def test_framework_images_say_which_version_they_ask_for(image, name, asked):
    found = catalog.find(f"{REGISTRY}/{image}")
    assert found.name == name
    assert found.framework_versions(image)[0] == asked


def test_the_version_that_is_installed_is_told_of_either_distribution():
    from importlib import metadata

    assert catalog.get("sklearn").framework_versions("")[1] == metadata.version("scikit-learn")
    assert catalog.get("xgboost").framework_versions("")[1] == metadata.version("xgboost-cpu")
    assert catalog.get("onnx_host").framework_versions("x:1") == ("", "")


@pytest.mark.parametrize("name", catalog.names())
def test_every_framework_has_its_remedy_and_every_extra_is_there(name):
    algorithm = catalog.get(name)
    if algorithm.framework:
        assert algorithm.framework.module in algorithm.requires
        assert algorithm.commands
    extras = re.findall(r"sagelet\[(\w+)\]", " ".join(algorithm.requires.values()))
    offered = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.M)
    assert set(extras) <= set(offered)


def test_the_catalogue_needs_the_standard_library_alone():
    code = (
        "import sys; from algorithms import catalog; catalog.find('xgboost:1'); "
        "assert not {'numpy', 'xgboost', 'onnxruntime', 'importlib.metadata'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=30).returncode == 0


def test_one_distribution_of_xgboost_is_no_conflict():
    assert catalog.conflicts() == ()


@pytest.mark.parametrize(
    ("installed", "files", "said"),
    [
        ({"xgboost": "3.0.5", "xgboost-cpu": "3.0.5"}, True, "both installed and overwrite"),
        ({"xgboost-cpu": "3.0.5"}, False, "its files are gone"),
        ({"xgboost": "3.2.0"}, True, "refuses models in the binary format"),
        ({"xgboost": "2.1.4"}, True, "tested is 3.0.5"),
    ],
)
def test_conflicts_are_said_with_their_remedy(monkeypatch, installed, files, said):
    monkeypatch.setattr(catalog, "_installed", lambda name: installed.get(name, ""))
    monkeypatch.setattr(catalog, "_has_files", lambda name: files)
    (sentence,) = catalog.conflicts()
    assert said in sentence
    assert "pip uninstall -y xgboost xgboost-cpu" in sentence


def test_a_wrong_command_line_says_the_right_one(capsys):
    assert run.main(["xgboost"]) == 2
    assert run.main(["nothing", "train"]) == 2
    said = capsys.readouterr().err
    assert "usage: python -m algorithms.run" in said
    assert "no algorithm is named 'nothing'" in said


def test_algorithms_on_pytorch_share_what_is_imported_for_them():
    """A zygote for each list: two lists would be two of 300 MB, and the seconds of the import twice."""
    lists = {algorithm.preload for algorithm in map(catalog.get, catalog.names()) if "torch" in algorithm.preload}
    assert len(lists) == 1
