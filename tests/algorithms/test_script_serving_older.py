"""Scripts behind the images of scikit-learn and XGBoost: what their functions get, what their answers become."""

import io
import json
import threading

import numpy as np
import pytest
import xgboost

from tests.algorithms.hosted import Hosted
from tests.algorithms.script import archive, bucket

SUM = """
class Model:
    def predict(self, rows):
        return rows.sum(axis=1)

def model_fn(model_dir):
    return Model()
"""
TOLD = """
import json
def model_fn(model_dir):
    return model_dir
def transform_fn(model, body, content_type, accept):
    return json.dumps([model, type(body).__name__, content_type, accept]), "application/json"
"""


@pytest.fixture(scope="module")
def summing(tmp_path_factory):
    with Hosted(tmp_path_factory.mktemp("sum"), "sklearn", SUM).up() as server:
        yield server


def npy(rows) -> bytes:
    written = io.BytesIO()
    np.save(written, rows)
    return written.getvalue()


def test_default_formats_in_and_out(summing):
    assert summing.post("[[1, 2], [3, 4]]").json() == [3.0, 7.0]
    assert summing.post("[[1, 2], [3, 4]]", "application/json", "*/*").content_type == "application/json"
    lines = summing.post("1,2\n3,4\n", "text/csv", "text/csv")
    assert (lines.text, lines.content_type) == ("3.0\n7.0\n", "text/csv")
    packed = summing.post(npy(np.array([[1, 2], [3, 4]])), "application/x-npy", "application/x-npy")
    np.testing.assert_array_equal(np.load(io.BytesIO(packed.body)), [3, 7])


def test_text_becomes_float32_and_npy_stays_what_it_is(summing):
    assert float(summing.post("[[16777216, 1]]", "application/json", "text/csv").text) == 16777216  # 2 ** 24
    assert summing.post(npy(np.array([[16777216, 1]])), "application/x-npy", "text/csv").text == "16777217\n"


def test_one_row_of_csv_has_one_dimension_as_in_the_image(summing):
    answer = summing.post("1,2", "text/csv")
    assert answer.status == 500 and "axis 1 is out of bounds" in answer.text


def test_status_codes(summing):
    assert summing.post("", "text/csv").status == 204
    unknown = summing.post("x", "image/png")
    assert (unknown.status, unknown.json()["error"]) == (415, "UnsupportedFormatError")
    assert "image/png" in unknown.json()["error-message"]
    assert summing.post("1,2\n", "text/csv; charset=utf-8").status == 415
    assert summing.post("[[1, 2]]", "application/json", "image/png").status == 406
    assert summing.post("[[1, 2", "application/json").status == 500
    assert summing.post(npy(np.array([{}], dtype=object)), "application/x-npy").status == 500
    assert summing.get("/ping").body == b""
    assert summing.get("/execution-parameters").status == 404


def test_functions_get_text_for_json_and_csv_alone_and_the_default_accept(tmp_path):
    hosted = Hosted(tmp_path, "sklearn", TOLD)
    with hosted.up(SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv") as server:
        model = str(hosted.model)
        assert server.post("x", "text/csv").json() == [model, "str", "text/csv", "text/csv"]
        assert server.post("x", "text/plain", "a/b").json() == [model, "bytes", "text/plain", "a/b"]
        assert server.post("", "text/csv").json() == [model, "str", "text/csv", "text/csv"]


@pytest.mark.parametrize(
    ("returned", "body", "content_type", "status"),
    [
        ('"a"', "a", "text/html; charset=utf-8", 200),
        ('b"a"', "a", "text/html; charset=utf-8", 200),
        ('{"a": 1}', '{"a": 1}', "application/json", 200),
        ('("a", "x/y")', "a", "x/y", 200),
        ('worker.Response("a", accept, mimetype="x/y")', "a", "x/y", 200),
        ('worker.Response(encoders.encode([1, 2], "text/csv"), mimetype=accept)', "1\n2\n", "text/csv", 200),
        ('worker.Response("a", status=418)', "a", "application/json", 418),
        ('flask.Response("a", status=299, mimetype="x/y")', "a", "x/y", 299),
    ],
)
def test_whatever_a_flask_view_may_return(tmp_path, returned, body, content_type, status):
    script = (
        "import flask\nfrom sagemaker_containers.beta.framework import encoders, worker\n"
        f"{SUM}\ndef output_fn(prediction, accept):\n    return {returned}\n"
    )
    with Hosted(tmp_path, "sklearn", script).up() as server:
        answer = server.post("[[1]]", "application/json", "text/csv")
        assert (answer.text, answer.content_type, answer.status) == (body, content_type, status)


def test_a_response_carries_custom_attributes(tmp_path):
    script = (
        "from sagemaker_containers.beta.framework import worker\n"
        f"{SUM}\ndef output_fn(prediction, accept):\n"
        '    return worker.Response("a", headers={"X-Amzn-SageMaker-Custom-Attributes": "k=v"})\n'
    )
    with Hosted(tmp_path, "sklearn", script).up() as server:
        assert server.post("[[1]]").headers["x-amzn-sagemaker-custom-attributes"] == "k=v"


def test_what_is_no_answer_is_named(tmp_path):
    script = f"{SUM}\ndef output_fn(prediction, accept):\n    return prediction\n"
    with Hosted(tmp_path, "sklearn", script).up() as server:
        answer = server.post("[[1]]")
        assert answer.status == 500 and "returned a ndarray, which is no answer" in answer.text


def test_an_exception_is_500_with_its_words_and_its_traceback_in_the_log(tmp_path):
    hosted = Hosted(tmp_path, "sklearn", f"{SUM}\ndef predict_fn(data, model):\n    raise LookupError('where?')\n")
    with hosted.up() as server:
        answer = server.post("[[1]]")
        assert (answer.status, answer.text) == (500, "LookupError: where?")
        assert "in predict_fn" in hosted.log and "Traceback" in hosted.log
        assert server.get("/ping").status == 200


def test_execution_parameters_are_the_scripts(tmp_path):
    script = f"{SUM}\ndef execution_parameters_fn():\n    return {{'MaxConcurrentTransforms': 3}}\n"
    with Hosted(tmp_path, "sklearn", script).up() as server:
        assert server.get("/execution-parameters").json() == {"MaxConcurrentTransforms": 3}


COUNT = """
import threading, time
under_way, most, lock = 0, 0, threading.Lock()
def model_fn(model_dir):
    return None
def transform_fn(model, body, content_type, accept):
    global under_way, most
    with lock:
        under_way += 1
        most = max(most, under_way)
    time.sleep(0.3)
    with lock:
        under_way -= 1
    return str(most)
"""


@pytest.mark.parametrize(("workers", "most"), [("", 1), ("3", 3)])
def test_calls_take_turns_as_many_at_a_time_as_there_are_workers(tmp_path, workers, most):
    given = {"SAGEMAKER_MODEL_SERVER_WORKERS": workers} if workers else {}
    with Hosted(tmp_path, "sklearn", COUNT).up(**given) as server:
        threads = [threading.Thread(target=server.post, args=("x",)) for _ in range(9)]
        for thread in threads:
            thread.start()
        assert server.get("/ping").status == 200
        assert sum(thread.is_alive() for thread in threads) > most, "a ping takes no turn"
        for thread in threads:
            thread.join()
        assert int(server.post("x").text) == most


# --- where the code comes from ----------------------------------------------------------------------------------


def test_code_comes_from_s3_as_the_sdk_names_it(tmp_path):
    hosted = Hosted(tmp_path, "sklearn")
    with bucket() as s3:
        s3.objects["/b/sourcedir.tar.gz"] = archive({"src/train.py": SUM + "import helper\n", "helper.py": ""})
        given = {"SAGEMAKER_PROGRAM": "src/train.py", "SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/sourcedir.tar.gz"}
        credentials = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": s3.url}
        with hosted.up(**given, **credentials) as server:
            assert server.post("[[1, 2]]").json() == [3.0]
        assert "Credential=k/" in s3.asked[0][2]["Authorization"]
    (tmp_path / "isolated").mkdir()
    output = Hosted(tmp_path / "isolated", "sklearn").down(**given)
    assert "s3://b/sourcedir.tar.gz cannot be reached" in output and "Traceback" not in output


def test_code_in_a_folder_of_the_container(tmp_path):
    hosted = Hosted(tmp_path, "sklearn", **{"mine.py": SUM})
    with hosted.up(SAGEMAKER_PROGRAM="mine.py", SAGEMAKER_SUBMIT_DIRECTORY="/opt/ml/model/code") as server:
        assert server.post("[[1, 2]]").json() == [3.0]
    output = hosted.down(SAGEMAKER_PROGRAM="mine.py", SAGEMAKER_SUBMIT_DIRECTORY="/opt/ml/elsewhere")
    assert "SAGEMAKER_SUBMIT_DIRECTORY is /opt/ml/elsewhere, where there is no code" in output


def test_names_of_ours_belong_to_the_script(tmp_path):
    script = f"import algorithms, log, train\n{SUM}\nassert (algorithms.X, log.X, train.X) == (1, 2, 3)\n"
    files = {"algorithms.py": "X = 1\n", "log.py": "X = 2\n", "train.py": "X = 3\n"}
    with Hosted(tmp_path, "sklearn", script, **files).up() as server:
        assert server.post("[[1, 2]]").json() == [3.0]
        assert server.post("x", "image/png").status == 415


@pytest.mark.parametrize(
    ("script", "environment", "said"),
    [
        ("x = 1\n", {}, "ClientError: Please provide a model_fn implementation"),
        ("", {}, "There is no script to serve with: SAGEMAKER_PROGRAM is not set"),
        ("", {"SAGEMAKER_PROGRAM": "no.py"}, "There is no script to serve with: SAGEMAKER_PROGRAM is no.py"),
        ("x = 1\n", {"SAGEMAKER_PROGRAM": "no.py"}, "The entry point no.py is not in the code of the job"),
        (f"{TOLD}\ndef input_fn(a, b):\n    pass\n", {}, "Cannot use transform_fn implementation in conjunction"),
        ("x = 1\n", {"SAGEMAKER_PROGRAM": "../x.py"}, "is not taken: it has to be a path inside"),
    ],
)
def test_what_cannot_serve_says_so_in_one_sentence(tmp_path, script, environment, said):
    output = Hosted(tmp_path, "sklearn", script).down(**environment)
    assert said in output and "Traceback" not in output


def test_a_script_that_cannot_be_loaded_ends_with_its_traceback(tmp_path):
    output = Hosted(tmp_path, "sklearn", "def model_fn(model_dir):\n    raise KeyError('weights')\n").down()
    assert "in model_fn" in output and "The model cannot be loaded: KeyError: 'weights'" in output


def test_requirements_are_installed_and_what_cannot_be_had_is_named(tmp_path):
    requirements = {"requirements.txt": "no-such-package-of-anyone==1.0\n"}
    given = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    output = Hosted(tmp_path, "sklearn", SUM, **requirements).down(**given)
    assert "no-such-package-of-anyone" in output and "sagemaker-inference-toolkit" in output


# --- XGBoost ----------------------------------------------------------------------------------------------------

BOOSTER = """
import os, pandas, xgboost
def model_fn(model_dir):
    return xgboost.Booster(model_file=os.path.join(model_dir, "xgboost-model"))
"""


@pytest.fixture(scope="module")
def booster():
    rows = np.random.default_rng(1).uniform(-1, 1, (60, 3))
    return xgboost.train({"max_depth": 2, "nthread": 1}, xgboost.DMatrix(rows, rows[:, 0]), 3)


def test_xgboost_reads_csv_and_libsvm_and_writes_json_and_csv(tmp_path, booster):
    hosted = Hosted(tmp_path, "xgboost", BOOSTER)
    booster.save_model(hosted.model / "xgboost-model.json")
    (hosted.model / "xgboost-model.json").rename(hosted.model / "xgboost-model")
    rows = np.array([[0.1, 0.2, 0.3], [-0.5, 0.5, 0.0]], np.float32)
    expected = booster.predict(xgboost.DMatrix(rows)).tolist()
    with hosted.up() as server:
        assert server.post("0.1,0.2,0.3\n-0.5,0.5,0.0", "text/csv").json() == expected
        libsvm = server.post("1 0:0.1 1:0.2 2:0.3\n0 0:-0.5 1:0.5 2:0.0\n", "text/x-libsvm", "text/csv")
        assert [float(line) for line in libsvm.text.split()] == pytest.approx(expected)
        assert server.post(json.dumps(rows.tolist()), "application/json").status == 415


def test_xgboost_without_a_script_is_the_built_in_server(tmp_path, booster):
    hosted = Hosted(tmp_path, "xgboost")
    booster.save_model(hosted.model / "model.json")
    with hosted.up() as server:
        assert float(server.post("0.1,0.2,0.3", "text/csv").text) == pytest.approx(
            float(booster.predict(xgboost.DMatrix([[0.1, 0.2, 0.3]]))[0])
        )
