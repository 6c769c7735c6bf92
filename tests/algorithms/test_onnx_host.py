"""The ONNX host: models of three kinds, every format, the library's own answers, and refusals that name both shapes."""

import io
import json

import numpy
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from algorithms.common.faults import Refusal, UserError
from algorithms.common.serving import Invocation
from algorithms.onnx_host.model import OnnxModel, find
from algorithms.onnx_host.serve import Service
from tests.algorithms.job import Job
from tests.contracts.algorithm_contract import AlgorithmContract

RANDOM = numpy.random.default_rng(4)
ROWS = RANDOM.normal(size=(5, 4)).astype("float32")
CSV = "\n".join(",".join(map(repr, row)) for row in ROWS.tolist()).encode()
CLOSE = 1e-5


def save(graph, path, opset=17):
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(built)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(built, path)
    return path


def tensor(name, *shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, list(shape))


def sklearn_classifier(path, zipmap=True):
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    labels = (ROWS.sum(axis=1) > 0).astype(int)
    labels[:2] = [0, 1]
    fitted = LogisticRegression().fit(ROWS, labels)
    options = None if zipmap else {id(fitted): {"zipmap": False}}
    path.write_bytes(to_onnx(fitted, ROWS[:1], options=options, target_opset=17).SerializeToString())
    return fitted


def sklearn_regressor(path):
    from skl2onnx import to_onnx
    from sklearn.linear_model import LinearRegression

    fitted = LinearRegression().fit(ROWS, ROWS.sum(axis=1))
    path.write_bytes(to_onnx(fitted, ROWS[:1], target_opset=17).SerializeToString())


def converted_xgboost(path):
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    features = RANDOM.normal(size=(80, 4)).astype("float32")
    booster = xgboost.train(
        {"max_depth": 3, "base_score": 0.5}, xgboost.DMatrix(features, label=features.sum(axis=1)), 8
    )
    made = onnxmltools.convert_xgboost(booster, initial_types=[("x", FloatTensorType([None, 4]))], target_opset=15)
    path.write_bytes(made.SerializeToString())
    return booster


def convolution(path, batch="N"):
    weights = RANDOM.normal(size=(3, 2, 3, 3)).astype("float32")
    dense = RANDOM.normal(size=(3, 10)).astype("float32")
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["c"], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "d"], ["m"]),
        helper.make_node("Softmax", ["m"], ["scores"]),
    ]
    constants = [onnx.numpy_helper.from_array(weights, "w"), onnx.numpy_helper.from_array(dense, "d")]
    graph = helper.make_graph(nodes, "g", [tensor("image", batch, 2, 8, 8)], [tensor("scores", batch, 10)], constants)
    return save(graph, path)


def two_inputs(path):
    """score = a + b (a: [N, 2], b: [N, 2]), and count, an int64."""
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Identity", ["n"], ["count"])]
    inputs = [tensor("a", "N", 2), tensor("b", "N", 2), tensor("n", "N", 1, kind=TensorProto.INT64)]
    outputs = [tensor("sum", "N", 2), tensor("count", "N", 1, kind=TensorProto.INT64)]
    return save(helper.make_graph(nodes, "g", inputs, outputs), path)


def served(path):
    return Service(OnnxModel(path))


def ask(service, body, content_type="application/json", accept=""):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return service.answer(Invocation(data, content_type, accept)).body


def refused(call):
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value


def direct(path, **inputs):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, inputs)


def npy(array):
    target = io.BytesIO()
    numpy.save(target, array)
    return target.getvalue()


def npz(**arrays):
    target = io.BytesIO()
    numpy.savez(target, **arrays)
    return target.getvalue()


class TestOnnxHost(AlgorithmContract):
    name = "onnx_host"
    images = (
        "785573368785.dkr.ecr.us-east-1.amazonaws.com/xgboost-neo:latest",
        "301217895009.dkr.ecr.us-west-2.amazonaws.com/sagemaker-neo-pytorch:1.12-inf-py3",
        "301217895009.dkr.ecr.us-west-2.amazonaws.com/sagemaker-inference-tensorflow:2.9-cpu-py3",
    )
    refusal = "only serves models, it cannot train"
    request = (CSV, "text/csv")

    def fill(self, job):
        job.prepare({}, train="text/csv")

    def model(self, folder):
        sklearn_regressor(folder / "model.onnx")


# --- models ------------------------------------------------------------------------------------------------------


def test_a_scikit_learn_classifier_in_every_format(tmp_path):
    path = tmp_path / "model.onnx"
    fitted = sklearn_classifier(path)
    labels, maps = direct(path, X=ROWS)
    chances = numpy.array([[one[0], one[1]] for one in maps])
    assert numpy.abs(chances - fitted.predict_proba(ROWS)).max() < CLOSE
    service = served(path)
    records = json.loads(ask(service, {"instances": ROWS.tolist()}))["predictions"]
    assert [record["output_label"] for record in records] == labels.tolist()
    found = numpy.array([[r["output_probability"]["0"], r["output_probability"]["1"]] for r in records])
    assert numpy.abs(found - chances).max() < CLOSE
    lines = numpy.loadtxt(io.BytesIO(ask(service, CSV, "text/csv")), delimiter=",")
    assert numpy.abs(lines - numpy.column_stack([labels, chances])).max() < CLOSE
    archive = numpy.load(io.BytesIO(ask(service, npy(ROWS), "application/x-npy", "application/x-npz")))
    assert numpy.abs(archive["output_probability"] - chances).max() < CLOSE
    assert archive["output_label"].tolist() == labels.tolist()
    jsonlines = "\n".join(json.dumps({"features": row}) for row in ROWS.tolist()).encode()
    assert [json.loads(x) for x in ask(service, jsonlines, "application/jsonlines").splitlines()] == records


def test_a_converted_xgboost_model_answers_as_xgboost_does(tmp_path):
    import xgboost

    booster = converted_xgboost(tmp_path / "model.onnx")
    expected = booster.predict(xgboost.DMatrix(ROWS))
    service = served(tmp_path / "model.onnx")
    assert numpy.abs(numpy.loadtxt(io.BytesIO(ask(service, CSV, "text/csv"))) - expected).max() < CLOSE
    found = numpy.array(json.loads(ask(service, ROWS.tolist())))
    assert numpy.abs(found.ravel() - direct(tmp_path / "model.onnx", x=ROWS)[0].ravel()).max() < CLOSE


def test_a_convolution_takes_images_of_any_number_and_flat_rows(tmp_path):
    path = convolution(tmp_path / "model.onnx")
    images = RANDOM.normal(size=(3, 2, 8, 8)).astype("float32")
    (expected,) = direct(path, image=images)
    service = served(path)
    found = numpy.load(io.BytesIO(ask(service, npy(images), "application/x-npy")))
    assert numpy.abs(found - expected).max() < CLOSE
    assert found.dtype == numpy.float32
    flat = "\n".join(",".join(map(repr, one.ravel().tolist())) for one in images).encode()
    lines = numpy.loadtxt(io.BytesIO(ask(service, flat, "text/csv")), delimiter=",")
    assert numpy.abs(lines - expected).max() < CLOSE
    single = json.loads(ask(service, {"inputs": images[1].tolist()}))["outputs"]["scores"]
    assert numpy.abs(numpy.array(single) - expected[1:2]).max() < CLOSE


@pytest.mark.parametrize(("batch", "records"), [(1, 4), (2, 5), (4, 4)])
def test_a_fixed_batch_is_met_by_splitting(tmp_path, batch, records):
    open_ = convolution(tmp_path / "open.onnx")
    built = onnx.load(open_)
    for value in (*built.graph.input, *built.graph.output):
        value.type.tensor_type.shape.dim[0].ClearField("dim_param")
        value.type.tensor_type.shape.dim[0].dim_value = batch
    onnx.save(built, tmp_path / "model.onnx")
    images = RANDOM.normal(size=(records, 2, 8, 8)).astype("float32")
    (expected,) = direct(open_, image=images)
    found = numpy.load(io.BytesIO(ask(served(tmp_path / "model.onnx"), npy(images), "application/x-npy")))
    assert found.shape == (records, 10)
    assert numpy.abs(found - expected).max() < CLOSE


# --- several inputs ----------------------------------------------------------------------------------------------

A, B, N = [[1.0, 2.0], [3.0, 4.0]], [[10.0, 20.0], [30.0, 40.0]], [[7], [8]]
SUMS = [[11.0, 22.0], [33.0, 44.0]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"inputs": {"a": A, "b": B, "n": N}}, {"outputs": {"sum": SUMS, "count": N}}),
        ({"a": A, "b": B, "n": N}, {"outputs": {"sum": SUMS, "count": N}}),
        (
            {"instances": [{"a": A[i], "b": B[i], "n": N[i][0]} for i in range(2)]},
            {"predictions": [{"sum": SUMS[i], "count": N[i]} for i in range(2)]},
        ),
    ],
    ids=["inputs", "names", "instances"],
)
def test_several_inputs_by_name(tmp_path, body, expected):
    assert json.loads(ask(served(two_inputs(tmp_path / "model.onnx")), body)) == expected


def test_several_inputs_in_other_formats(tmp_path):
    service = served(two_inputs(tmp_path / "model.onnx"))
    body = npz(a=numpy.array(A), b=numpy.array(B), n=numpy.array(N))
    archive = numpy.load(io.BytesIO(ask(service, body, "application/x-npz")))
    assert (archive["sum"].tolist(), archive["count"].tolist()) == (SUMS, N)
    assert ask(service, b"1,2,10,20,7\n3,4,30,40,8", "text/csv") == b"11.0,22.0,7\n33.0,44.0,8\n"
    lines = "\n".join(json.dumps({"a": A[i], "b": B[i], "n": N[i]}) for i in range(2)).encode()
    found = [json.loads(line) for line in ask(service, lines, "application/jsonlines").splitlines()]
    assert found == [{"sum": SUMS[i], "count": N[i]} for i in range(2)]


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (
            {"a": A, "b": B},
            "application/json",
            "The inputs ['a', 'b'] were given, but the model's are: input 'a' expects",
        ),
        ({"a": A, "b": B, "n": N, "x": N}, "application/json", "['a', 'b', 'n', 'x'] were given"),
        ({"a": A, "b": B, "n": [[1.5], [2]]}, "application/json", "'n' expects int64 of shape [N, 1]"),
        (A, "application/json", "name each of them: a, b, n"),
        (b"1,2,3", "text/csv", "A line has 3 columns, but the model's inputs are"),
        ({"a": A, "b": B[:1] * 3, "n": N}, "application/json", "The model refused 'a' [2, 2], 'b' [3, 2]"),
        ({"instances": [{"a": A[0]}, [1]]}, "application/json", "Record 1 is an array, but others are objects"),
        (
            {"instances": [{"a": A[0]}, {"b": A[0]}]},
            "application/json",
            "Record 1 has ['b'], but those before have ['a']",
        ),
        (npy(numpy.array(A)), "application/x-npy", "name each of them: a, b, n"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_with_what_was_expected(tmp_path, body, content_type, said):
    refusal = refused(lambda: ask(served(two_inputs(tmp_path / "model.onnx")), body, content_type))
    assert refusal.status == 400
    assert said in refusal.message


# --- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "status", "said"),
    [
        (b"1,2,3", "text/csv", 400, "expects float32 of shape [N, 4], but the data has shape [1, 3]"),
        (b"1,2,3,4\n1,2", "text/csv", 400, "The lines differ in their number of columns: [2, 4]"),
        (b"1,2,x,4", "text/csv", 400, "The body is not text/csv"),
        ([[1, 2, 3, 4, 5]], "application/json", 400, "expects float32 of shape [N, 4], but the data has shape [1, 5]"),
        ([[1, 2, 3, 4], [1]], "application/json", 400, "but the data does not convert"),
        ([[[1, 2, 3, 4]]], "application/json", 400, "but the data has shape [1, 1, 4]"),
        ([["a", 2, 3, 4]], "application/json", 400, "but the data does not convert"),
        ([], "application/json", 400, "but the data has shape [0]"),
        ({"instances": []}, "application/json", 400, "at least one record"),
        (
            {"wrong": ROWS.tolist()},
            "application/json",
            400,
            "The inputs ['wrong'] were given, but the model's are: input 'X'",
        ),
        (
            {"instances": [{"wrong": [1]}]},
            "application/json",
            400,
            "Record 0 has ['wrong'], but the model's input is 'X'",
        ),
        (b"{", "application/json", 400, "The body is not application/json"),
        (b"[" * 100000, "application/json", 400, "The body is not application/json"),
        (b"[1,2,3,4]\nnonsense", "application/jsonlines", 400, "The body is not application/jsonlines"),
        (b"\x93NUMPY\x01\x00", "application/x-npy", 400, "The body is not application/x-npy"),
        (npy(numpy.array([{}], dtype=object)), "application/x-npy", 400, "The body is not application/x-npy"),
        (b"  ", "text/csv", 400, "The body is empty"),
        (b"x", "application/x-image", 415, "'application/x-image' is not supported. Supported are: text/csv"),
        (b"x", "", 415, "Content type '' is not supported"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, body, content_type, status, said):
    sklearn_regressor(tmp_path / "model.onnx")
    refusal = refused(lambda: ask(served(tmp_path / "model.onnx"), body, content_type))
    assert refusal.status == status
    assert said in refusal.message


def test_accept(tmp_path):
    sklearn_classifier(tmp_path / "model.onnx", zipmap=False)
    service = served(tmp_path / "model.onnx")
    assert refused(lambda: ask(service, CSV, "text/csv", "image/png")).status == 406
    refusal = refused(lambda: ask(service, CSV, "text/csv", "application/x-npy"))
    assert refusal.status == 406
    assert "['label', 'probabilities']: accept application/x-npz" in refusal.message
    assert json.loads(ask(service, CSV, "text/csv", "application/json"))["probabilities"]


def test_the_default_accept_can_be_set(tmp_path, monkeypatch):
    sklearn_regressor(tmp_path / "model.onnx")
    assert ask(served(tmp_path / "model.onnx"), CSV, "text/csv").count(b"\n") == 5
    monkeypatch.setenv("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
    assert len(json.loads(ask(served(tmp_path / "model.onnx"), CSV, "text/csv"))) == 5


def test_numbers_that_json_does_not_know_are_null(tmp_path):
    graph = helper.make_graph(
        [helper.make_node("Log", ["x"], ["y"])], "g", [tensor("x", "N", 1)], [tensor("y", "N", 1)]
    )
    service = served(save(graph, tmp_path / "model.onnx"))
    assert json.loads(ask(service, [[0.0], [1.0]])) == [[None], [0.0]]
    assert ask(service, b"0\n1", "text/csv") == b"nan\n0.0\n"


def test_text_goes_in_and_out(tmp_path):
    text = TensorProto.STRING
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [tensor("x", "N", 2, kind=text)],
        [tensor("y", "N", 2, kind=text)],
    )
    service = served(save(graph, tmp_path / "model.onnx"))
    assert json.loads(ask(service, {"instances": [["a", "b"]]})) == {"predictions": [["a", "b"]]}
    assert ask(service, b'"a,b",c', "text/csv") == b'"a,b",c\n'


# --- the model file ----------------------------------------------------------------------------------------------


def test_the_model_may_lie_one_folder_deeper(tmp_path):
    path = convolution(tmp_path / "export" / "model.onnx")
    assert find(tmp_path) == path
    top = convolution(tmp_path / "model.onnx")
    assert find(tmp_path) == top


def test_a_missing_or_broken_model_is_said_with_what_is_there(tmp_path):
    (tmp_path / "xgboost-model").write_bytes(b"x")
    with pytest.raises(
        UserError, match=r"No model.onnx was found in .*; there is: xgboost-model. This image serves ONNX"
    ):
        find(tmp_path)
    for name in ("a", "b"):
        convolution(tmp_path / name / "model.onnx")
    with pytest.raises(UserError, match=r"Several model\.onnx were found"):
        find(tmp_path)
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"no onnx")
    with pytest.raises(UserError, match="cannot be loaded"):
        OnnxModel(broken)


def test_the_process_serves_what_the_library_answers(tmp_path):
    job = Job(tmp_path, "onnx_host")
    path = convolution(job.model / "1" / "model.onnx")
    images = RANDOM.normal(size=(2, 2, 8, 8)).astype("float32")
    (expected,) = direct(path, image=images)
    with job.serve() as server:
        answer = server.post(npy(images), "application/x-npy")
        wrong = server.post(npy(images[:, :1]), "application/x-npy")
    assert answer.content_type == "application/x-npy"
    assert numpy.abs(numpy.load(io.BytesIO(answer.body)) - expected).max() < CLOSE
    assert wrong.status == 400
    assert wrong.text == "The input 'image' expects float32 of shape [N, 2, 8, 8], but the data has shape [2, 1, 8, 8]."
