"""XGBoost and linear models as JumpStart's scripts: the library called directly is the oracle."""

import re

import numpy as np
import pytest

from tests.algorithms.jumpstart_job import Tabular, spec, table, text

MODELS = [
    "xgboost-classification-model", "xgboost-regression-model", "sklearn-classification-linear",
    "sklearn-regression-linear",
]  # fmt: skip


def task_of(model_id: str) -> str:
    return model_id.split("-")[1]


@pytest.fixture(scope="module", params=MODELS)
def done(request, tmp_path_factory):
    """(model id, job, log, training rows, validation rows)"""
    pytest.importorskip("pandas")
    job = Tabular(tmp_path_factory.mktemp("job"), request.param)
    rows = table(task_of(request.param)), table(task_of(request.param), 200, 8)
    for name, each in zip(("training", "validation"), rows, strict=True):
        job.put(f"training/{name}/data.csv", text(each))
    job.put("training/categorical_index.json", '{"cat_index_list": [4]}')
    ended = job.fit({})
    assert ended.code == 0, ended.output
    return request.param, job, ended.output, *rows


def answered(job, rows: np.ndarray, accept: str = "application/json") -> dict:
    with job.served() as server:
        answer = server.post(text(rows[:, 1:]), "text/csv", accept)
    assert answer.status == 200, answer.text
    return answer.json()


def one_hot(rows: np.ndarray) -> np.ndarray:
    """The category as five columns."""
    return (rows[:, 4:] == np.arange(5)).astype(float)


def boosted(task: str, training: np.ndarray, validation: np.ndarray) -> np.ndarray:
    """What XGBoost itself predicts with its own defaults."""
    import xgboost

    sets = [xgboost.DMatrix(np.hstack([one_hot(rows), rows[:, 1:4]]), rows[:, 0]) for rows in (training, validation)]
    told = {"objective": "reg:squarederror" if task == "regression" else "binary:logistic"}
    evals = [(sets[1], "validation")]
    booster = xgboost.train(told, sets[0], 5000, evals=evals, early_stopping_rounds=30, verbose_eval=False)
    found = booster.predict(sets[1], iteration_range=(0, booster.best_iteration + 1))
    return found if task == "regression" else np.column_stack([1 - found, found])


def descended(task: str, training: np.ndarray, validation: np.ndarray) -> np.ndarray:
    """What scikit-learn's stochastic gradient descent predicts."""
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    mean, deviation = training[:, 1:4].mean(axis=0), training[:, 1:4].std(axis=0)
    x, v = (np.hstack([(rows[:, 1:4] - mean) / deviation, one_hot(rows)]) for rows in (training, validation))
    given = {"tol": 1e-4, "alpha": 1e-4, "random_state": 0}
    if task == "regression":
        return SGDRegressor(**given).fit(x, training[:, 0]).predict(v)
    return SGDClassifier(loss="log_loss", **given).fit(x, training[:, 0]).predict_proba(v)


def test_it_predicts_what_the_library_itself_predicts(done):
    model_id, job, _, training, validation = done
    directly = (boosted if model_id.startswith("xgboost") else descended)(task_of(model_id), training, validation)
    [found] = answered(job, validation).values()
    np.testing.assert_allclose(found, directly, rtol=1e-5, atol=1e-9)


def test_the_metric_in_the_log_is_that_of_the_answers(done):
    model_id, job, log, _, validation = done
    [metric] = spec(model_id)["metrics"]
    logged = float(re.findall(metric["Regex"], log)[-1])
    told = answered(job, validation, "application/json;verbose")
    if metric["Name"] == "accuracy_score":
        assert logged == pytest.approx(np.mean(np.array(told["predicted_label"]) == validation[:, 0]), abs=1e-6)
        assert logged > 0.85 > 0.6 > max(validation[:, 0].mean(), 1 - validation[:, 0].mean())
    else:
        assert logged == pytest.approx(np.mean((np.array(told["prediction"]) - validation[:, 0]) ** 2), abs=1e-5)
        assert logged < 0.1 * np.var(validation[:, 0])  # The noise is 0.01, the variance 2.2.


def test_the_library_opens_the_artifact_without_us(done):
    import pandas as pd

    model_id, job, _, _, validation = done
    [found] = answered(job, validation[:5]).values()
    if model_id.startswith("xgboost"):
        import xgboost

        features = xgboost.DMatrix(np.hstack([one_hot(validation[:5]), validation[:5, 1:4]]))
        opened = xgboost.Booster(model_file=job.model / "model.json").predict(features)
        np.testing.assert_allclose(opened, np.array(found)[:, 1] if np.ndim(found) == 2 else found, rtol=1e-5)
        return
    import joblib

    frame = pd.DataFrame(validation[:5, 1:], columns=[f"feature_{number}" for number in range(4)])
    frame["feature_3"] = frame["feature_3"].astype(int).astype(str)
    pipeline = joblib.load(job.model / "model.joblib")
    asked = pipeline.predict if task_of(model_id) == "regression" else pipeline.predict_proba
    np.testing.assert_allclose(asked(frame), found)


def test_requests_are_refused_by_their_types_and_gaps_are_answered(done):
    _, job, _, _, validation = done
    body = text(validation[:3, 1:])
    with job.served() as server:
        refused = [
            server.post("{}", "application/json"), server.post(body, "text/csv", "text/csv"),
            server.post(text(validation[:3]), "text/csv"), server.post("", "text/csv"),
        ]  # fmt: skip
        gaps = server.post("0.1,,0.3,77\n0.1,0.2,0.3,\n", "text/csv")
    assert [answer.status for answer in refused] == [415, 406, 400, 400]
    assert gaps.status == 200 and len(next(iter(gaps.json().values()))) == 2


@pytest.mark.parametrize("model_id", MODELS[::2])
def test_three_labels_that_are_words(tmp_path, model_id):
    pytest.importorskip("pandas")
    job, names, rows = Tabular(tmp_path, model_id), np.array(["ant", "bee", "cat"]), table("classification", labels=3)
    job.put("training/data.csv", "".join(f"{names[int(row[0])]},{text(row[None, 1:])}" for row in rows[:450]))
    ended = job.fit({"penalty": "elasticnet", "num_boost_round": "30"})
    assert ended.code == 0, ended.output
    told = answered(job, rows[450:], "application/json;verbose")
    assert told["labels"] == ["ant", "bee", "cat"]
    np.testing.assert_allclose(np.sum(told["probabilities"], axis=1), 1, rtol=1e-5)
    score = np.mean(np.array(told["predicted_label"]) == names[rows[450:, 0].astype(int)])
    assert score > (0.85 if model_id.startswith("xgboost") else 0.5)  # The category is a number here: no line has it.


def test_what_the_library_refuses_is_said_in_a_sentence(tmp_path):
    pytest.importorskip("pandas")
    job = Tabular(tmp_path, MODELS[3])
    job.put("training/data.csv", text(table("regression", 50)))
    job.put("training/validation/data.csv", text(table("regression", 20)))
    ended = job.fit({"alpha": "-1"})
    assert ended.failure == "ClientError: The hyperparameter alpha is -1; it has to be a number at least 0."
