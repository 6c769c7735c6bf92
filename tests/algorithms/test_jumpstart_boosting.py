"""LightGBM and CatBoost as JumpStart's scripts: the library called directly is the oracle."""

import json
import re

import numpy as np
import pytest

from tests.algorithms.jumpstart_job import Tabular, spec, table, text

MODELS = [f"{family}-{task}-model" for family in ("lightgbm", "catboost") for task in ("classification", "regression")]
INDEX = '{"cat_index_list": [4]}'
FEATURES = [f"feature_{number}" for number in range(4)]
THREADS = {"lightgbm": {"num_threads": "1"}, "catboost": {"thread_count": "1"}}


def task_of(model_id: str) -> str:
    return model_id.split("-")[1]


def family_of(model_id: str) -> str:
    return model_id.split("-")[0]


def trained(folder, model_id: str, labels: int = 2, **hyperparameters: str):
    """A finished job with a validation folder, its log, and its two tables."""
    pytest.importorskip(family_of(model_id))
    job = Tabular(folder, model_id)
    training = table(task_of(model_id), labels=labels)
    validation = table(task_of(model_id), 200, 8, labels)
    job.put("training/train/data.csv", text(training))
    job.put("training/validation/data.csv", text(validation))
    job.put("training/categorical_index.json", INDEX)
    ended = job.fit({**THREADS[family_of(model_id)], **hyperparameters})
    assert ended.code == 0, ended.output
    return job, ended.output, (training, validation)


@pytest.fixture(scope="module", params=MODELS)
def done(request, tmp_path_factory):
    return request.param, *trained(tmp_path_factory.mktemp("job"), request.param)


def answers(job, rows: np.ndarray) -> np.ndarray:
    with job.served() as server:
        answer = server.post(text(rows[:, 1:]), "text/csv")
    assert answer.status == 200, answer.text
    told = answer.json()
    return np.array(told["prediction"] if "prediction" in told else told["probabilities"])


def directly(model_id: str, training: np.ndarray, validation: np.ndarray):
    """What the library itself predicts for the validation data, told the values of the developer guide."""
    import pandas as pd

    x, v = (pd.DataFrame(rows[:, 1:], columns=FEATURES) for rows in (training, validation))
    if family_of(model_id) == "lightgbm":
        import lightgbm

        guide = {
            "learning_rate": 0.1, "num_leaves": 64, "feature_fraction": 0.9, "bagging_fraction": 0.9, "bagging_freq": 1,
            "max_depth": 6, "min_data_in_leaf": 3, "num_threads": 1, "verbosity": -1,
        }  # fmt: skip
        kind = {"classification": ("binary", "binary_logloss"), "regression": ("regression", "rmse")}
        objective, metric = kind[task_of(model_id)]
        sets = [
            lightgbm.Dataset(f, rows[:, 0], categorical_feature=["feature_3"])
            for f, rows in ((x, training), (v, validation))
        ]
        sets[1].reference = sets[0]
        stop = lightgbm.early_stopping(10, verbose=False)
        told = {**guide, "objective": objective, "metric": metric}
        return lightgbm.train(told, sets[0], 100, valid_sets=[sets[1]], callbacks=[stop]).predict(v)
    import catboost

    guide = {
        "iterations": 500, "learning_rate": 0.009, "depth": 6, "l2_leaf_reg": 3, "random_seed": 1, "thread_count": 1,
        "sampling_frequency": "PerTreeLevel",
    }  # fmt: skip
    for frame in (x, v):
        frame["feature_3"] = frame["feature_3"].astype(int).astype(str)
    made = catboost.CatBoostClassifier if task_of(model_id) == "classification" else catboost.CatBoostRegressor
    pools = [catboost.Pool(f, rows[:, 0], cat_features=["feature_3"]) for f, rows in ((x, training), (v, validation))]
    fitted = made(**guide, verbose=0, allow_writing_files=False).fit(
        pools[0], eval_set=pools[1], early_stopping_rounds=5
    )
    return fitted.predict(v) if task_of(model_id) == "regression" else fitted.predict_proba(v)


def test_it_predicts_what_the_library_itself_predicts(done):
    model_id, job, _, (training, validation) = done
    np.testing.assert_allclose(answers(job, validation), directly(model_id, training, validation), rtol=1e-9)


def test_it_has_learnt_what_a_constant_cannot_know(done):
    model_id, job, _, (_, validation) = done
    found, target = answers(job, validation), validation[:, 0]
    if task_of(model_id) == "regression":
        assert np.mean((found - target) ** 2) < 0.1 * np.var(target)  # The noise is 0.01, the variance 2.2.
    else:
        chance = found[:, 1] if found.ndim == 2 else found
        assert np.mean((chance > 0.5) == target) > 0.9 > 0.6 > max(target.mean(), 1 - target.mean())


def test_the_metric_of_the_specification_is_in_the_log(done):
    model_id, _, log, _ = done
    found = {row["Name"]: re.findall(row["Regex"], log) for row in spec(model_id)["metrics"]}
    wanted = {
        "lightgbm-classification-model": "binary_logloss", "lightgbm-regression-model": "rmse",
        "catboost-classification-model": "bestTest", "catboost-regression-model": "bestTest",
    }[model_id]  # fmt: skip
    values = list(map(float, found[wanted]))
    assert values and values[-1] <= values[0]


def test_the_library_opens_the_artifact_without_us(done):
    model_id, job, _, (_, validation) = done
    found = answers(job, validation[:5])
    if family_of(model_id) == "lightgbm":
        import joblib
        import lightgbm

        for booster in (lightgbm.Booster(model_file=job.model / "model.txt"), joblib.load(job.model / "model.pkl")):
            np.testing.assert_allclose(booster.predict(validation[:5, 1:]), found)
        return
    import catboost

    rows = [[*row[1:4], str(int(row[4]))] for row in validation[:5]]
    if task_of(model_id) == "regression":
        np.testing.assert_allclose(catboost.CatBoostRegressor().load_model(job.model / "model").predict(rows), found)
    else:
        opened = catboost.CatBoostClassifier().load_model(job.model / "model")
        np.testing.assert_allclose(opened.predict_proba(rows), found)
        assert opened.classes_.tolist() == [0, 1]


def test_requests_are_answered_or_refused_by_their_types(done):
    model_id, job, _, (_, validation) = done
    body = text(validation[:3, 1:])
    with job.served() as server:
        plain = server.post(body, "text/csv", "application/json")
        verbose = server.post(body, "text/csv; charset=utf-8", "application/json;verbose")
        refused = [
            server.post("{}", "application/json"), server.post(body, "text/csv", "text/csv"),
            server.post(text(validation[:3]), "text/csv"), server.post("1,2,three,1\n", "text/csv"),
            server.post("", "text/csv"), server.post(b"\xff\xfe,1,2,3", "text/csv; charset=utf-8"),
        ]  # fmt: skip
    assert [answer.status for answer in refused] == [415, 406, 400, 400, 400, 400]
    assert "5 columns; the model was trained with 4. Leave the target out." in refused[2].text
    assert "Column 2 of the request holds text ('three' in row 1)" in refused[3].text
    assert plain.content_type == "application/json"
    if task_of(model_id) == "regression":
        assert verbose.json() == plain.json() and list(plain.json()) == ["prediction"]
        return
    told = verbose.json()
    assert told["probabilities"] == plain.json()["probabilities"] and told["labels"] == [0, 1]
    chances = np.array(told["probabilities"])
    assert chances.shape == ((3,) if family_of(model_id) == "lightgbm" else (3, 2))
    ones = chances if chances.ndim == 1 else chances[:, 1]
    assert told["predicted_label"] == [int(chance > 0.5) for chance in ones]


@pytest.mark.parametrize("model_id", MODELS[::2])
def test_three_labels_that_are_words(tmp_path, model_id):
    pytest.importorskip(family_of(model_id))
    job, names = Tabular(tmp_path, model_id), np.array(["ant", "bee", "cat"])
    rows = table("classification", labels=3)
    lines = [f"{names[int(row[0])]},{text(row[None, 1:])}" for row in rows]
    job.put("training/data.csv", "".join(lines[:450]))
    ended = job.fit({**THREADS[family_of(model_id)], "learning_rate": "0.2"})
    assert ended.code == 0, ended.output
    assert "There is no validation data: 90 of 450 rows are split off at random." in ended.output
    with job.served() as server:
        told = server.post(text(rows[450:, 1:]), "text/csv", "application/json;verbose").json()
    assert told["labels"] == ["ant", "bee", "cat"]
    np.testing.assert_allclose(np.sum(told["probabilities"], axis=1), 1)
    assert np.mean(np.array(told["predicted_label"]) == names[rows[450:, 0].astype(int)]) > 0.85


@pytest.mark.parametrize(
    ("model_id", "hyperparameters"),
    [
        (MODELS[0], {"boosting": "rf"}), (MODELS[0], {"boosting": "dart", "metric": "auc"}),
        (MODELS[0], {"is_unbalance": "true", "metric": "average_precision"}),
        (MODELS[1], {"boosting": "goss", "metric": "l1", "bagging_freq": "0"}),
        (MODELS[1], {"early_stopping_rounds": "0", "num_boost_round": "5", "use_dask": "True"}),
        (MODELS[2], {"grow_policy": "Lossguide", "max_leaves": "16", "eval_metric": "AUC"}),
        (MODELS[2], {"scale_pos_weight": "2", "max_bin": "64"}),
        (MODELS[3], {"grow_policy": "Depthwise", "min_data_in_leaf": "5", "eval_metric": "MAE"}),
        (MODELS[3], {"boosting_type": "Ordered", "early_stopping_rounds": "0", "iterations": "5"}),
    ],
)  # fmt: skip
def test_the_hyperparameters_reach_the_library(tmp_path, model_id, hyperparameters):
    job, log, _ = trained(tmp_path, model_id, **{"num_boost_round": "20", "iterations": "20", **hyperparameters})
    assert (job.model / "model_info.json").is_file()
    if hyperparameters.get("early_stopping_rounds") == "0":
        assert len(re.findall(r"^\[\d+\]\tvalid_0|^\d+:\tlearn", log, re.M)) == 5


def test_a_category_or_a_gap_that_training_never_saw_is_answered(done):
    _, job, _, _ = done
    with job.served() as server:
        answer = server.post("0.1,,0.3,77\n0.1,0.2,0.3,\n", "text/csv")
    assert answer.status == 200, answer.text
    assert len(next(iter(answer.json().values()))) == 2


CSV = "1,0.5,2\n0,0.4,1\n1,0.1,2\n0,0.9,3\n"


@pytest.mark.parametrize(
    ("content", "hyperparameters", "wanted"),
    [
        (
            "y,a,b\n1,2,3\n",
            {},
            "ClientError: Column 1 of data.csv holds text ('a' in row 1) where a number is expected.",
        ),
        (CSV, {"metric": "multi_logloss"}, "ClientError: LightGBM refuses the hyperparameters or the data: "),
    ],
)
def test_what_cannot_be_trained_fails_with_a_sentence(tmp_path, content, hyperparameters, wanted):
    pytest.importorskip("lightgbm")
    job = Tabular(tmp_path, MODELS[0])
    job.put("training/data.csv", content)
    ended = job.fit(hyperparameters)
    assert ended.code == 1 and ended.failure.startswith(wanted), ended.failure
    assert "Traceback" not in ended.output


def test_words_as_categories_are_for_catboost_alone(tmp_path):
    pytest.importorskip("lightgbm")
    pytest.importorskip("catboost")
    for model_id, code in ((MODELS[0], 1), (MODELS[2], 0)):
        (tmp_path / model_id).mkdir()
        job = Tabular(tmp_path / model_id, model_id)
        job.put("training/data.csv", "1,red,2\n0,blue,1\n" * 20)
        job.put("training/categorical_index.json", '{"cat_index_list": [1]}')
        ended = job.fit({"iterations": "5"})
        assert ended.code == code, ended.output
        assert code == 0 or "The categorical column 1 holds " in ended.failure


@pytest.mark.parametrize("model_id", MODELS[::2])
def test_without_the_library_the_job_says_how_to_install_it(tmp_path, model_id):
    job = Tabular(tmp_path, model_id)
    told = json.loads((job.code / "told.json").read_text())
    library, remedy = family_of(model_id), "pip install 'sagelet[boosting]'"
    assert told["requires"] == {"pandas": remedy, library: remedy}
    (job.code / "told.json").write_text(json.dumps({**told, "requires": {"not_" + library: remedy}}))
    job.put("training/data.csv", CSV)
    assert job.fit().failure == (
        f"ClientError: The library not_{library} is not installed where this job runs. "
        f"Install it beside Sagelet: {remedy}"
    )
