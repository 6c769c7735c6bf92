"""Scripts and bare models behind the images of PyTorch and Hugging Face."""

import io
import json

import numpy as np
import pytest
from scipy import sparse

from tests.algorithms.hosted import Hosted

torch = pytest.importorskip("torch")
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
ECHO = """
def model_fn(model_dir):
    return "model"
def predict_fn(data, model):
    return data
"""


@pytest.fixture(scope="module")
def linear():
    """A layer, and the bytes of its TorchScript."""
    layer = torch.nn.Linear(2, 1)
    saved = io.BytesIO()
    with pytest.warns((DeprecationWarning, FutureWarning)):  # PyTorch 2.14 says it with the other
        torch.jit.save(torch.jit.script(layer), saved)
    return layer, saved.getvalue()


def npy(rows) -> bytes:
    written = io.BytesIO()
    np.save(written, rows)
    return written.getvalue()


def test_torchscript_needs_no_script(tmp_path, linear):
    layer, saved = linear
    hosted = Hosted(tmp_path, "pytorch")
    (hosted.model / "any.pth").write_bytes(saved)
    rows = np.array([[1.5, 2.5], [0.25, 1.0]], np.float32)
    with torch.no_grad():
        expected = layer(torch.from_numpy(rows)).tolist()
    with hosted.up(SAGEMAKER_PROGRAM="", SAGEMAKER_SUBMIT_DIRECTORY="") as server:
        assert server.post(json.dumps(rows.tolist()), "application/json").json() == expected
        assert server.post("1.5,2.5\n0.25,1.0", "text/csv").json() == expected
        packed = server.post(npy(rows), "application/x-npy", "application/x-npy")
        np.testing.assert_array_equal(np.load(io.BytesIO(packed.body)), np.array(expected))
        lines = server.post(npy(rows), "application/x-npy", "image/png, text/csv")
        assert lines.text == "".join(f"{value}\n" for [value] in expected)
        for answer in (server.post("x", "image/png"), server.post("[[1.0, 2.0]]", "application/json", "image/png")):
            assert answer.status == 500
            assert answer.text.startswith("Content type image/png is not supported by this framework.")
            assert "Traceback" in answer.text


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "Exactly one .pth or .pt file is required for PyTorch models: []"),
        ({"a.pt": b"", "b.pth": b""}, "Exactly one .pth or .pt file is required for PyTorch models: ['a.pt', 'b.pth']"),
        ({"a.pt": b"weights"}, "Please ensure model is saved using torchscript"),
    ],
)
def test_what_is_no_torchscript_is_refused_in_a_sentence(tmp_path, files, said):
    hosted = Hosted(tmp_path, "pytorch")
    for name, content in files.items():
        (hosted.model / name).write_bytes(content)
    output = hosted.down()
    assert said in output and "Traceback" not in output


def test_functions_may_take_the_context(tmp_path):
    script = f"""
from sagemaker_inference import errors
def model_fn(model_dir, context):
    return context.system_properties["model_dir"]
def input_fn(data, content_type, context):
    if data == "teapot":
        raise errors.GenericInferenceToolkitError(418, "short and stout")
    return context.get_request_header(0, "{ATTRIBUTES.lower()}")
def predict_fn(data, model, context):
    context.set_response_header(0, "{ATTRIBUTES}", "answer=" + data)
    context.set_response_status(code=202)
    return [data, model, context.request_processor[0].get_request_properties()["Content-Type"]]
"""
    hosted = Hosted(tmp_path, "pytorch", script)
    with hosted.up() as server:
        given = {"Content-Type": "text/csv", ATTRIBUTES: "a=1"}
        answer = server.ask("POST", "/invocations", b"x", given)
        assert (answer.status, answer.json()) == (202, ["a=1", str(hosted.model), "text/csv"])
        assert answer.headers[ATTRIBUTES.lower()] == "answer=a=1"
        refused = server.ask("POST", "/invocations", b"teapot", given)
        assert refused.status == 418 and refused.text.startswith("short and stout\nTraceback")


def test_a_function_with_other_arguments_is_named(tmp_path):
    with Hosted(tmp_path, "pytorch", f"{ECHO}\ndef input_fn(data):\n    return data\n").up() as server:
        assert "input_fn takes 1 arguments but 2 were given." in server.post("1", "text/csv").text


def test_what_goes_in_and_out(tmp_path):
    script = f"""{ECHO}
from sagemaker_inference import content_types, decoder
def input_fn(data, content_type):
    return decoder.decode(data, content_type) if content_type == content_types.NPZ else type(data).__name__
def output_fn(prediction, accept):
    return prediction if isinstance(prediction, str) else {{"rows": prediction.shape[0]}}
"""
    matrix = io.BytesIO()
    sparse.save_npz(matrix, sparse.csr_matrix(np.eye(3)))
    with Hosted(tmp_path, "pytorch", script).up() as server:
        assert server.post(matrix.getvalue(), "application/x-npz").json() == {"rows": 3}
        assert [server.post("1", kind).text for kind in ("text/csv", "text/plain")] == ["str", "bytes"]


# --- Hugging Face -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A folder with a tiny classifier that nobody trained, and the pipeline of it."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]))
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=7, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder, transformers.pipeline("text-classification", model=str(folder), tokenizer=str(folder), device=-1)


def with_bert(base, folder, script: str = "") -> Hosted:
    hosted = Hosted(base, "huggingface", script)
    for file in folder.iterdir():
        (hosted.model / file.name).write_bytes(file.read_bytes())
    return hosted


def test_a_pipeline_is_made_of_the_models_own_files(tmp_path, bert):
    folder, pipeline = bert
    with with_bert(tmp_path, folder).up(SAGEMAKER_PROGRAM="", SAGEMAKER_SUBMIT_DIRECTORY="") as server:
        answer = server.post('{"inputs": ["good", "bad"]}', "application/json")
        assert answer.status == 200, answer.text
        expected = pipeline(["good", "bad"])
        assert [one["label"] for one in answer.json()] == [one["label"] for one in expected]
        assert [one["score"] for one in answer.json()] == pytest.approx([one["score"] for one in expected])
        every = server.post('{"inputs": "good", "parameters": {"top_k": null}}', "application/json").json()
        assert len(every) == 2
        lines = server.post("inputs\ngood\nbad\n", "text/csv", "text/csv").text.splitlines()
        assert (lines[0], len(lines)) == ("label,score", 3)
        for answer in (server.post("good", "text/csv"), server.post("{", "application/json"), server.post("x", "a/b")):
            assert (answer.status, answer.json()["code"]) == (400, 400)
            assert answer.json()["type"] == "InternalServerException"


def test_functions_replace_those_of_the_pipeline(tmp_path, bert):
    script = 'def output_fn(prediction, accept):\n    return prediction[0]["label"]\n'
    with with_bert(tmp_path, bert[0], script).up(HF_TASK="text-classification") as server:
        assert server.post('{"inputs": "good"}', "application/json").text.startswith("LABEL_")


def test_models_that_are_not_in_the_archive_are_refused(tmp_path):
    pytest.importorskip("transformers")
    output = Hosted(tmp_path, "huggingface").down(HF_MODEL_ID="org/model", HF_TASK="text-classification")
    assert "HF_MODEL_ID org/model is not fetched" in output and "Traceback" not in output


def test_without_transformers_it_says_how_to_install_it(tmp_path):
    from importlib import util

    if util.find_spec("transformers"):
        pytest.skip("transformers is installed")
    output = Hosted(tmp_path, "huggingface").down(HF_TASK="text-classification")
    assert "The library transformers is not installed" in output and "sagelet[huggingface]" in output
