"""AutoGluon-Tabular as JumpStart's scripts: the library called directly is the oracle, where it is installed."""

import re

import numpy as np
import pytest

from tests.algorithms.jumpstart_job import Tabular, objects, spec, table, text

CLASSIFICATION, REGRESSION = "autogluon-classification-ensemble", "autogluon-regression-ensemble"
NAMES = np.array(["ant", "bee", "cat"])
SHADES = np.array(["dark blue", "light blue", "red"])


@pytest.fixture
def autogluon():
    return pytest.importorskip("autogluon.tabular", reason="pip install 'sagelet[autogluon]' (.ci/autogluon test)")


def lines(rows: np.ndarray, target: bool = True) -> str:
    """Labels that are words, four numbers of which the last is a category, and a text that says nothing."""
    told = []
    for place, row in enumerate(rows):
        label = [NAMES[int(row[0])]] if target else []
        told.append(",".join([*label, *(f"{value:g}" for value in row[1:]), SHADES[place % 3]]))
    return "\n".join(told) + "\n"


# --- with the library ---------------------------------------------------------------------------------------------


def test_labels_that_are_words_categories_and_text_by_the_default_preset(autogluon, tmp_path):
    job, rows = Tabular(tmp_path, CLASSIFICATION), table("classification", 400, labels=3)
    job.put("training/train/data.csv", lines(rows[:240]))
    job.put("training/validation/data.csv", lines(rows[240:320]))
    job.put("training/categorical_index.json", '{"cat_index_list": [4]}')
    ended = job.fit({"save_space": "True"})
    assert ended.code == 0, ended.output
    assert "Tuning Data Rows:    80" in ended.output and "('category', []) : 1 | ['feature_3']" in ended.output
    # The metric that the guide has for several labels, of each model and of their ensemble.
    scores = re.findall(r"^\t([0-9.]+)\t = Validation score   \(accuracy\)$", ended.output, re.M)
    assert len(scores) > 5 and float(scores[-1]) > 0.85
    held = rows[320:]
    with job.served() as server:
        told = server.post(lines(held, target=False), "text/csv", "application/json;verbose").json()
        gaps = server.post("0.1,,0.3,77,\n0.1,0.2,0.3,,green\n", "text/csv; charset=utf-8")
        refused = [
            server.post("{}", "application/json"), server.post(lines(held, target=False), "text/csv", "text/csv"),
            server.post(lines(held), "text/csv"), server.post("", "text/csv"),
        ]  # fmt: skip
    assert told["labels"] == NAMES.tolist()
    np.testing.assert_allclose(np.sum(told["probabilities"], axis=1), 1, rtol=1e-5)
    assert np.mean(np.array(told["predicted_label"]) == NAMES[held[:, 0].astype(int)]) > 0.8
    assert gaps.status == 200 and np.shape(gaps.json()["probabilities"]) == (2, 3), gaps.text
    assert [answer.status for answer in refused] == [415, 406, 400, 400]
    assert refused[2].text.endswith("Leave the target out.") and refused[2].content_type == "text/plain"
    # The library opens the artifact without us, and answers the same.
    opened = autogluon.TabularPredictor.load(str(job.model))
    assert opened.eval_metric.name == "accuracy" and opened.class_labels == NAMES.tolist()
    frame = opened.predict_proba(framed(held))
    np.testing.assert_allclose(frame[NAMES].to_numpy(), told["probabilities"], rtol=1e-4, atol=1e-6)


def framed(rows: np.ndarray):
    """The rows as the guide has them: a table with columns feature_0, feature_1, ..."""
    import pandas as pd

    frame = pd.DataFrame(rows[:, 1:], columns=[f"feature_{number}" for number in range(4)])
    frame["feature_3"] = frame["feature_3"].astype(int).astype(str)
    return frame.assign(feature_4=[SHADES[place % 3] for place in range(len(rows))])


def test_a_regression_predicts_what_the_library_itself_predicts(autogluon, tmp_path):
    import pandas as pd

    job, rows = Tabular(tmp_path, REGRESSION), table("regression", 150)
    job.put("training/data.csv", text(rows[:80]))
    job.put("validation/data.csv", text(rows[80:100]))
    given = {"presets": "interpretable", "verbosity": "3", "eval_metric": "mean_absolute_error"}
    ended = job.fit(given, "training", "validation")
    assert ended.code == 0, ended.output
    with job.served() as server:
        found = server.post(text(rows[100:, 1:]), "text/csv").json()
    columns = ["target", *(f"feature_{number}" for number in range(4))]
    frames = [pd.DataFrame(part, columns=columns) for part in (rows[:80], rows[80:100], rows[100:])]
    directly = autogluon.TabularPredictor(
        "target", problem_type="regression", eval_metric="mean_absolute_error", path=str(tmp_path / "own"), verbosity=0
    ).fit(frames[0], tuning_data=frames[1], presets="interpretable", num_cpus=1)
    assert list(found) == ["prediction"]
    np.testing.assert_allclose(found["prediction"], directly.predict(frames[2]), rtol=1e-5)
    assert np.mean((found["prediction"] - rows[100:, 0]) ** 2) < 0.5 * np.var(rows[100:, 0])


def test_what_the_library_refuses_is_said_in_a_sentence(autogluon, tmp_path):
    job = Tabular(tmp_path, REGRESSION)
    job.put("training/data.csv", text(table("regression", 50)))
    ended = job.fit({"eval_metric": "roc_auc"})
    assert ended.code == 1 and ended.failure.startswith(
        "ClientError: AutoGluon refuses the hyperparameters or the data: eval_metric='roc_auc' is not a valid metric"
    )
    assert "Traceback" not in ended.output


# --- without it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model_id", [CLASSIFICATION, REGRESSION])
def test_without_the_library_the_job_says_how_to_install_it(tmp_path, model_id):
    import importlib.util

    if importlib.util.find_spec("autogluon"):
        pytest.skip("AutoGluon is installed")
    job = Tabular(tmp_path, model_id)
    job.put("training/data.csv", text(table("regression", 20)))
    assert job.fit().failure.startswith(
        "ClientError: The library autogluon.tabular is not installed where this job runs. Install it beside Sagelet: "
        "pip install 'sagelet[autogluon]'"
    )


def test_it_is_trained_and_served_in_the_images_of_autogluon_and_has_no_metrics():
    told = spec(CLASSIFICATION)
    images = {
        scope: told[f"{scope}_instance_type_variants"]["variants"]["m5"]["properties"]["image_uri"]
        for scope in ("training", "hosting")
    }
    registry = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
    assert images["training"] == f"{registry}/autogluon-training:1.2.0-cpu-py311"
    assert images["hosting"] == f"{registry}/autogluon-inference:1.2.0-cpu-py311"
    assert told["metrics"] == []
    assert told["training_artifact_key"].endswith("train-autogluon-classification-ensemble.tar.gz")
    assert told["training_artifact_key"] in objects()
