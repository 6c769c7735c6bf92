"""Serving with XGBoost: any artifact, every format, the answers of each version, and refusals that say why."""

import http.client
import json
import pickle
import socket
import subprocess
import sys
import time

import numpy
import pytest
import xgboost

from algorithms.common import recordio, serving
from algorithms.common.faults import Refusal, UserError
from algorithms.common.serving import Invocation
from algorithms.xgboost import answers, model
from algorithms.xgboost.serve import Service
from tests.algorithms.job import ROOT, Job

OLD, NEW = (1, 2, 1), (1, 7, 1)
ROWS = numpy.random.default_rng(9).normal(size=(5, 4)).round(3)
CSV = "\n".join(",".join(map(str, row)) for row in ROWS.tolist()).encode()


def booster(objective="binary:logistic", rounds=4, seed=0, **parameters):
    features = numpy.random.default_rng(seed).normal(size=(150, 4))
    label = (features[:, 0] > 0) + (0 if "multi" not in objective else (features[:, 1] > 0.5).astype(int))
    return xgboost.train(
        {"objective": objective, "seed": seed} | parameters, xgboost.DMatrix(features, label=label), rounds
    )


def direct(one, rows=ROWS):
    return one.predict(xgboost.DMatrix(rows))


def service(*boosters, version=NEW):
    return Service(model.Ensemble(boosters), version)


def ask(one, body=CSV, content_type="text/csv", accept=""):
    return one.answer(Invocation(body, content_type, accept)).body


def refused(call):
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value


# --- artifacts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("xgboost-model", lambda b, p: p.write_bytes(b.save_raw("ubj"))),
        ("xgboost-model", lambda b, p: p.write_bytes(b.save_raw("json"))),
        ("xgboost-model", lambda b, p: p.write_bytes(b.save_raw("deprecated"))),
        ("model.json", lambda b, p: b.save_model(p)),
        ("model.ubj", lambda b, p: b.save_model(p)),
        ("model.bin", lambda b, p: p.write_bytes(pickle.dumps(b))),
    ],
    ids=["ubj without a name", "json without a name", "old binary", "json", "ubj", "pickle"],
)
def test_a_model_made_elsewhere_is_served(tmp_path, name, write):
    made = booster()
    with xgboost.config_context(verbosity=0):
        write(made, tmp_path / name)
    (tmp_path / ".DS_Store").write_text("no model")
    (tmp_path / "code").mkdir()
    assert numpy.allclose(model.load(tmp_path).predict(ROWS), direct(made), atol=1e-6)


def test_several_models_are_averaged_unless_that_is_switched_off(tmp_path):
    made = [booster(seed=seed) for seed in range(3)]
    for number, one in enumerate(made):
        (tmp_path / f"xgboost-model-{number}").write_bytes(one.save_raw("ubj"))
    assert numpy.allclose(model.load(tmp_path).predict(ROWS), numpy.mean([direct(one) for one in made], axis=0))
    assert numpy.allclose(model.load(tmp_path, ensemble=False).predict(ROWS), direct(made[0]))


def test_several_models_of_classes_vote():
    made = [booster("multi:softmax", seed=seed, num_class=3) for seed in range(3)]
    votes = numpy.array([direct(one) for one in made], dtype=int)
    expected = [numpy.bincount(column).argmax() for column in votes.T]
    assert model.Ensemble(made).predict(ROWS).tolist() == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello", "is no model of XGBoost"),
        (b"", "is no model of XGBoost"),
        (pickle.dumps({"a": 1}), "holds a dict, not a Booster"),
        (b"\x80garbage", "Pickle load error"),
    ],
)
def test_what_is_no_model_is_refused_in_a_sentence(tmp_path, content, said):
    (tmp_path / "xgboost-model").write_bytes(content)
    with pytest.raises(UserError, match=said):
        model.load(tmp_path)


def test_models_of_different_widths_do_not_go_together(tmp_path):
    narrow = xgboost.train({}, xgboost.DMatrix(numpy.ones((3, 2)), label=[1, 2, 3]), 1)
    for number, one in enumerate((booster(), narrow)):
        (tmp_path / str(number)).write_bytes(one.save_raw("ubj"))
    with pytest.raises(UserError, match=r"differ in their number of features: \[2, 4\]"):
        model.load(tmp_path)


@pytest.mark.parametrize("kind", ["gbtree", "dart", "gblinear"])
def test_every_booster_predicts_as_the_library_does(kind):
    made = booster(booster=kind)
    assert numpy.allclose(model.Ensemble([made]).predict(ROWS), direct(made), atol=1e-6)


def test_the_best_round_of_an_older_xgboost_is_respected():
    made = booster(rounds=10, num_parallel_tree=2)
    made.set_attr(best_ntree_limit="6")
    expected = made.predict(xgboost.DMatrix(ROWS), iteration_range=(0, 3))
    assert numpy.allclose(model.Ensemble([made]).predict(ROWS), expected)


# --- formats -----------------------------------------------------------------------------------------------------


def test_answers_of_new_images():
    made = booster()
    expected = direct(made).tolist()
    one = service(made)
    assert ask(one).decode() == "".join(f"{v}\n" for v in expected)
    assert json.loads(ask(one, accept="application/json")) == {"predictions": [{"score": v} for v in expected]}
    lines = ask(one, accept="application/jsonlines").decode().splitlines()
    assert [json.loads(line) for line in lines] == [{"score": v} for v in expected]
    records = list(recordio.read(ask(one, accept="application/x-recordio-protobuf")))
    assert [label["score"][0].tolist() for _, label in records] == [[v] for v in expected]


def test_answers_of_old_images_stand_on_one_line():
    made = booster()
    assert ask(service(made, version=OLD), accept="application/json").decode() == ",".join(
        map(str, direct(made).tolist())
    )


def test_answers_with_several_values_per_record():
    made = booster("multi:softprob", num_class=3)
    expected = direct(made).tolist()
    assert ask(service(made)).decode() == "".join(",".join(map(str, row)) + "\n" for row in expected)
    assert json.loads(ask(service(made), accept="application/json"))["predictions"][0] == {"score": expected[0]}


def test_answers_of_a_transform_job(monkeypatch):
    monkeypatch.setenv("SAGEMAKER_BATCH", "true")
    for version in (OLD, NEW):
        made = booster("multi:softprob", num_class=3)
        assert ask(service(made, version=version)).decode() == "".join(f"{row}\n" for row in direct(made).tolist())


def test_the_default_accept_can_be_set(monkeypatch):
    monkeypatch.setenv("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
    assert "predictions" in json.loads(ask(service(booster())))
    assert "predictions" in json.loads(ask(service(booster()), accept="*/*"))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (CSV, "text/csv; charset=utf-8"),
        (CSV.replace(b",", b";"), "text/csv"),
        (CSV.replace(b"\n", b"\r\n") + b"\r\n", "csv"),
        (CSV.replace(b",", b", "), "text/csv;label_size=1"),
        (b"\n".join(b'"' + line.replace(b",", b'","') + b'"' for line in CSV.splitlines()), "text/csv"),
        (recordio.write_features(ROWS.tolist()), "application/x-recordio-protobuf"),
        ("\n".join(" ".join(f"{i}:{v}" for i, v in enumerate(row)) for row in ROWS).encode(), "text/libsvm"),
        (
            "\n".join("0 " + " ".join(f"{i}:{v}" for i, v in enumerate(row, 1)) for row in ROWS).encode(),
            "text/x-libsvm",
        ),
    ],
    ids=["csv", "semicolons", "crlf", "blanks", "quotes", "recordio", "libsvm from 0", "libsvm from 1 with labels"],
)
def test_all_content_types_mean_the_same(body, content_type):
    made = booster()
    assert [float(v) for v in ask(service(made), body, content_type).split()] == pytest.approx(direct(made), abs=1e-6)


def test_what_is_absent_is_missing():
    made = booster()
    nan = float("nan")
    rows = numpy.array([[nan, 1, nan, 2], [3, nan, nan, nan]])
    expected = pytest.approx(direct(made, rows), abs=1e-6)
    assert [float(v) for v in ask(service(made), b",1,,2\n3,,nan,").split()] == expected
    assert [float(v) for v in ask(service(made), b"1:1 3:2\n0:3", "text/libsvm").split()] == expected


@pytest.mark.parametrize("last", [b"0.5,1,2,3", b"0.5,,2,3", b'"0.5",1,2,3'], ids=["plain", "missing", "quoted"])
def test_a_large_body_means_the_same_as_its_lines(last):
    one = service(booster())
    lines = (CSV + b"\n") * 100 + last
    assert ask(one, lines) == ask(one, CSV) * 100 + ask(one, last)


def test_a_model_of_one_feature_takes_rows_without_a_delimiter():
    made = xgboost.train({}, xgboost.DMatrix(numpy.arange(9.0).reshape(-1, 1), label=numpy.arange(9.0)), 3)
    rows = numpy.array([[1.5], [7.25]])
    assert [float(v) for v in ask(service(made), b"1.5\n7.25").split()] == pytest.approx(direct(made, rows))


@pytest.mark.parametrize(
    ("body", "content_type", "status", "said"),
    [
        (b"1,2,3", "text/csv", 400, "data 3 is not consistent with feature size of trained model 4"),
        (b"1,2,3,4,5", "text/csv", 400, "data 5 is not consistent with feature size of trained model 4"),
        (b"7:1", "text/libsvm", 400, "data 8 is not consistent with feature size of trained model 4"),
        (recordio.write_features([[1, 2]]), "application/x-recordio-protobuf", 400, "data 2 is not consistent"),
        (b"1,2,3,x", "text/csv", 415, "Loading csv data failed with Exception"),
        (b"1,2,3,4\n1,2", "text/csv", 415, "the rows differ in their number of columns: [2, 4]"),
        (b"\xff\xfe1,2", "text/csv", 415, "Loading csv data failed"),
        (b"1 2 3", "text/libsvm", 415, "Loading libsvm data failed"),
        (b"1,2,3,4,5", "application/x-recordio-protobuf", 415, "no RecordIO frame begins at byte 0"),
        (b"{}", "application/json", 415, "application/json is not an accepted ContentType"),
        (b"PAR1", "application/x-parquet", 415, "Content-type application/x-parquet is not supported"),
        (b"1,2,3,4", "text/csv; label_size=0", 415, "label_size must be equal to 1"),
    ],
)
def test_refusals(body, content_type, status, said):
    refusal = refused(lambda: ask(service(booster()), body, content_type))
    assert refusal.status == status
    assert said in refusal.message


def test_an_unknown_accept_is_refused_after_all_else():
    refusal = refused(lambda: ask(service(booster()), accept="image/png"))
    assert refusal.status == 406
    assert "Accept type image/png is not supported" in refusal.message
    assert refused(lambda: ask(service(booster()), b"1", accept="image/png")).status == 400


def test_an_empty_body_is_no_content():
    assert service(booster()).answer(Invocation(b"", "text/csv", "")).status == 204


# --- selectable content ------------------------------------------------------------------------------------------


def select(monkeypatch, made, keys, accept, **environment):
    for name, value in ({"SAGEMAKER_INFERENCE_OUTPUT": keys} | environment).items():
        monkeypatch.setenv(name, value)
    return ask(service(made), accept=accept)


def test_selected_content_of_a_binary_model(monkeypatch):
    made = booster()
    keys = "predicted_label, labels,probability,probabilities,raw_score,raw_scores"
    score = direct(made).tolist()[0]
    first = json.loads(select(monkeypatch, made, keys, "application/json"))["predictions"][0]
    assert first == {
        "predicted_label": int(score > 0.5), "labels": [0, 1], "probability": score,
        "probabilities": [1 - score, score], "raw_score": score, "raw_scores": [1 - score, score],
    }  # fmt: skip


def test_selected_content_of_a_multiclass_model_in_csv(monkeypatch):
    made = booster("multi:softprob", num_class=3)
    scores = direct(made).tolist()
    expected = "\n".join(f'{row.index(max(row))},"{row}",{max(row)},"[0, 1, 2]"' for row in scores)
    keys = "predicted_label,probabilities,probability,labels"
    assert select(monkeypatch, made, keys, "text/csv").decode() == expected
    assert select(monkeypatch, made, keys, "text/csv", SAGEMAKER_BATCH="true").decode() == expected + "\n"


def test_selected_content_of_a_regression(monkeypatch):
    made = booster("reg:squarederror")
    body = select(monkeypatch, made, "predicted_score,probability", "application/jsonlines").decode()
    first = json.loads(body.splitlines()[0])
    assert first["predicted_score"] == direct(made).tolist()[0]
    assert first["probability"] != first["probability"]
    records = list(recordio.read(select(monkeypatch, made, "predicted_score", "application/x-recordio-protobuf")))
    assert records[0][1]["predicted_score"][0].tolist() == [direct(made).tolist()[0]]


def test_selected_content_needs_an_objective_that_has_it():
    with pytest.raises(ValueError, match="Objective `survival:cox` unsupported"):
        answers.select(numpy.ones(1), ["predicted_label"], "survival:cox", 0)


# --- the process -------------------------------------------------------------------------------------------------


def serving_job(tmp_path, **parameters):
    job = Job(tmp_path, "xgboost")
    job.model.mkdir()
    (job.model / "xgboost-model").write_bytes(booster(**parameters).save_raw("ubj"))
    return job


def test_the_image_of_the_environment_decides_on_the_form(tmp_path):
    job = serving_job(tmp_path)
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.2-1"
    with job.serve(SAGELET_IMAGE=image) as server:
        old = server.post(CSV, "text/csv").text
    with job.serve(SAGELET_IMAGE=image.replace("1.2-1", "1.2-2")) as server:
        new = server.post(CSV, "text/csv").text
    assert old.split(",") == new.split("\n")[:-1]
    assert len(old.split(",")) == 5


def test_bodies_up_to_the_limit_and_not_beyond(tmp_path):
    job = serving_job(tmp_path)
    with job.serve(MAX_CONTENT_LENGTH="1000") as server:
        assert server.post(b"1,2,3,4\n" * 125, "text/csv").status == 200
        refused_ = server.post(b"1,2,3,4\n" * 126, "text/csv")
        assert refused_.status == 413
        assert "1008 bytes" in refused_.text
        assert server.get("/execution-parameters").json()["MaxPayloadInMB"] == 0
        assert server.ask("POST", "/invocations", b"", {"Content-Type": "text/csv"}).status == 204


def test_a_refused_body_is_read_to_its_end_so_that_the_refusal_arrives(tmp_path):
    with serving_job(tmp_path).serve() as server:
        answer = server.post(b"1,2,3,4\n" * 4_000_000, "text/csv")
    assert answer.status == 413
    assert "32000000 bytes; MAX_CONTENT_LENGTH allows 26214400" in answer.text


def test_a_chunked_body_is_read(tmp_path):
    with serving_job(tmp_path).serve() as server, socket.socket(socket.AF_UNIX) as connection:
        connection.connect(server.socket)
        head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"4\r\n1,2,\r\n3\r\n3,4\r\n0\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")


def test_limits_of_the_service_and_of_transform_jobs(monkeypatch):
    assert serving.payload_limit() == 25 * 1024 * 1024
    monkeypatch.setenv("SAGEMAKER_MAX_PAYLOAD_IN_MB", "100")
    assert serving.payload_limit() == 100 * 1024 * 1024
    monkeypatch.setenv("MAX_CONTENT_LENGTH", "6291456")
    assert serving.payload_limit() == 6291456
    assert serving.execution_parameters()["MaxPayloadInMB"] == 6


def test_a_small_request_is_not_held_back_by_acknowledgements(tmp_path):
    """Which the other side sends after 40 ms when an answer comes in pieces."""
    job = Job(tmp_path, "xgboost")
    job.model.mkdir()
    (job.model / "xgboost-model").write_bytes(booster(rounds=50).save_raw("ubj"))
    place = {"SAGEMAKER_BIND_TO_SOCKET": "", "SAGEMAKER_BIND_TO_PORT": "0", "SAGEMAKER_BIND_TO_HOST": "127.0.0.1"}
    spent = []
    with job.serve(**place) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(200):
            start = time.perf_counter()
            connection.request("POST", "/invocations", CSV.partition(b"\n")[0], {"Content-Type": "text/csv"})
            assert connection.getresponse().read()
            spent.append(time.perf_counter() - start)
        connection.close()
    assert min(spent[1:]) < 0.03


def test_the_first_caller_does_not_wait_for_pandas_to_be_imported(tmp_path):
    (tmp_path / "xgboost-model").write_bytes(booster().save_raw("ubj"))
    code = (
        "import sys, pathlib, numpy; from algorithms.xgboost import library, model, serve; "
        f"library.do_without_pandas(); loaded = model.load(pathlib.Path({str(tmp_path)!r})); "
        "loaded.predict(numpy.ones((1, loaded.num_features), 'f4')); assert not sys.modules['pandas']"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
