"""What the tabular scripts read and refuse, in this process: their folder is put on the path as a job has it."""

import importlib
import io
import json
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from algorithms.jumpstart import bucket, families, specs

PACKAGE = Path(families.FOLDER)
CSV = "1,0.5,2\n0,0.4,1\n1,0.1,2\n0,0.9,3\n"


@pytest.fixture
def scripts(monkeypatch, tmp_path):
    """Imports a module of the scripts by its name, in a job that has a channel `training`."""
    monkeypatch.syspath_prepend(PACKAGE)
    (tmp_path / "training").mkdir()
    monkeypatch.setenv("SM_CHANNEL_TRAINING", str(tmp_path / "training"))
    yield importlib.import_module
    for name in [name for name in sys.modules if name.partition(".")[0] in ("common", "tabular", "fitting", "columns")]:
        del sys.modules[name]


def work_of(scripts, task: str) -> Any:
    """What the channels of the job give to a library."""
    found = scripts("tabular.channels").find()
    return scripts("tabular.training")._work(task, {}, found, scripts("tabular.crew").Crew())


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def declared(model_id: str) -> list[dict]:
    for family in families.every():
        for model in family.models:
            if model["model_id"] == model_id:
                return specs.told(family, model)["hyperparameters"]
    raise AssertionError(model_id)


PLACES = {
    "two channels": {"training/a.csv": CSV, "validation/b.csv": CSV},
    "folders of one": {"training/training/a.csv": CSV, "training/validation/b.csv": CSV},
    "folders of one, as LightGBM's": {"training/train/a.csv": CSV, "training/validation/b.csv": CSV},
    "folders in both": {"training/train/a.csv": CSV, "validation/validation/b.csv": CSV},
}


@pytest.mark.parametrize("files", PLACES.values(), ids=PLACES)
def test_data_are_found_wherever_the_guide_has_them(scripts, tmp_path, monkeypatch, files):
    monkeypatch.setenv("SM_CHANNEL_VALIDATION", str(tmp_path / "validation"))
    if "validation/b.csv" not in files and "validation/validation/b.csv" not in files:
        monkeypatch.delenv("SM_CHANNEL_VALIDATION")
    index = {"training/categorical_index.json": '{"cat_index_list": [2]}'}
    write(tmp_path, {**files, **index})
    data = scripts("tabular.channels").find()
    assert [path.name for path in data.training] == ["a.csv"] and [path.name for path in data.validation] == ["b.csv"]
    assert data.categorical == [2]


def test_several_files_are_one_table_and_the_split_is_the_same_each_time(scripts, tmp_path):
    write(tmp_path / "training", {"a.csv": CSV * 10, "b.csv": CSV * 5, "_SUCCESS": "", ".hidden": "x"})
    table, data = scripts("tabular.table"), scripts("tabular.channels").find()
    (training, validation), (again, _) = table.load(data), table.load(data)
    assert (len(training.target), len(validation.target)) == (48, 12)
    assert list(training.features.columns) == ["feature_0", "feature_1"]
    assert training.features.equals(again.features)


BAD = [
    ({}, "There is no data in the channel training: training holds no CSV file."),
    ({"data.csv": "1,a,b\n1,2,3\n"}, "Column 1 of data.csv holds text ('a' in row 1) where a number is expected."),
    ({"data.csv": "1\n0\n"}, "data.csv has 1 column; there have to be a target and at least one feature."),
    ({"a.csv": CSV, "b.csv": "1,2\n"}, "All CSV files must have the same number of columns: a.csv has 3, b.csv has 2."),
    ({"data.csv": "1,2,3\n1,4,5\n1,2,4\n"}, "one label only (1); a classification needs at least two."),
    ({"data.csv": "0.5,2,3\n1.5,4,5\n"}, "The target (the first column) holds numbers with a fraction"),
    ({"data.csv": "1,2,3\n,4,5\n0,1,1\n"}, "The target (the first column) is missing in row 2."),
    ({"data.csv": "1,2,3\n0,4,5,6\n"}, "Data.csv is no CSV that can be read"),
    ({"data.csv": "\n\n"}, "There are no rows in data.csv."),
    ({"data.csv": "1,2\n"}, "There is 1 row of training data."),
    ({"data.csv": CSV, "validation/data.csv": "1,2\n0,3\n"}, "2 features, the validation data 1."),
    ({"data.csv": CSV, "validation/data.csv": "7,2,3\n"}, "the label 7, which the training data has not."),
    ({"data.csv": CSV, "categorical_index.json": '{"cat_index_list": [0]}'}, "lists column 0; column 0 is the target"),
    ({"data.csv": CSV, "categorical_index.json": '{"cat_index_list": [3]}'}, "lists column 3; the last column of data"),
    ({"data.csv": CSV, "categorical_index.json": "[1]"}, "categorical_index.json is not understood."),
    ({"data.csv": CSV, "a.json": "{}", "b.json": "{}"}, "categorical columns; there are a.json, b.json."),
    ({"data.csv": CSV, "a.json": '{"a": [1], "b": [2]}'}, "a.json is not understood."),
    (
        {"data.csv": CSV, "categorical_index.json": '{"cat_index_list": "1"}'},
        "categorical_index.json is not understood.",
    ),
]


@pytest.mark.parametrize(("files", "wanted"), BAD, ids=[wanted[:40] for _, wanted in BAD])
def test_data_that_cannot_be_trained_with_are_refused(scripts, tmp_path, files, wanted):
    write(tmp_path / "training", files)
    with pytest.raises(scripts("common.failing").Refused) as refused:
        scripts("tabular.training")._work(
            "classification", {}, scripts("tabular.channels").find(), scripts("tabular.crew").Crew()
        )
    assert wanted in str(refused.value)


RAW = {
    "training/a.csv": "1,red,5,12,2024-01-02\n0,,6,7,\n",
    "training/b.csv": "1,3,7,x y,2024-01-03\n",
    "training/categorical_index.json": '{"cat_index_list": [2]}',
}


def test_a_library_that_takes_tables_raw_is_given_text_as_text_and_no_part_split_off(scripts, tmp_path):
    write(tmp_path, RAW)
    data = scripts("tabular.channels").find()
    work = scripts("tabular.training")._work("classification", {}, data, scripts("tabular.crew").Crew(), True)
    features, target = work.training
    assert work.validation is None and work.text == (1, 3, 4)
    # What looks like a number in one file is text there, too, when another file has text in that column.
    assert features["feature_0"].tolist() == ["red", "", "3"] and features["feature_2"].tolist() == ["12", "7", "x y"]
    assert features["feature_1"].tolist() == ["5", "6", "7"] and target.tolist() == [1, 0, 1]
    rows = scripts("tabular.table").rows_of("4,5,6,\n", 4, [2, *work.text])
    assert rows.to_numpy().tolist() == [["4", "5", "6", ""]]


def test_all_others_refuse_text(scripts, tmp_path):
    write(tmp_path, RAW)
    with pytest.raises(scripts("common.failing").Refused, match=r"Column 1 of a\.csv holds text"):
        scripts("tabular.training")._work(
            "classification", {}, scripts("tabular.channels").find(), scripts("tabular.crew").Crew()
        )


def test_columns_reach_autogluon_with_their_gaps_and_categories(scripts, monkeypatch):
    import pandas as pd

    monkeypatch.syspath_prepend(PACKAGE / "autogluon")
    given = pd.DataFrame({"feature_0": ["red", ""], "feature_1": ["1", ""], "feature_2": [0.5, float("nan")]})
    found = importlib.import_module("columns").framed(given, ["feature_1"])
    assert found["feature_0"][0] == "red" and found.iloc[1].isna().all()
    assert found["feature_1"].dtype == "category" and found["feature_1"].cat.categories.tolist() == ["1"]
    assert found["feature_2"].dtype == float and given["feature_0"].tolist() == ["red", ""]


@pytest.mark.parametrize(
    ("given", "validated", "wanted"),
    [
        ({}, True, {}),
        ({"save_space": "true", "refit_full": "False"}, True, {"save_space": True}),
        ({"num_bag_folds": "5", "num_bag_sets": "2"}, False, {"num_bag_folds": 5, "num_bag_sets": 2}),
        ({"auto_stack": "True"}, True, {"auto_stack": True, "use_bag_holdout": True}),
        ({"presets": "best_quality"}, True, {"presets": "best_quality", "use_bag_holdout": True}),
        ({"presets": "optimize_for_deployment"}, True, {"presets": "optimize_for_deployment"}),
        ({"num_stack_levels": "1"}, False, {"num_stack_levels": 1}),
    ],
)
def test_what_differs_from_the_guides_defaults_is_said_to_autogluon(scripts, monkeypatch, given, validated, wanted):
    monkeypatch.syspath_prepend(PACKAGE / "autogluon")
    read = scripts("common.parameters").read(declared("autogluon-classification-ensemble"), given)
    found = importlib.import_module("fitting").arguments(read, validated)
    assert found == {"presets": "medium_quality", **wanted}


def test_one_fold_is_no_bagging(scripts, monkeypatch):
    monkeypatch.syspath_prepend(PACKAGE / "autogluon")
    read = scripts("common.parameters").read(declared("autogluon-regression-ensemble"), {"num_bag_folds": "1"})
    with pytest.raises(scripts("common.failing").Refused, match="num_bag_folds is 1; it has to be 0"):
        importlib.import_module("fitting").arguments(read, False)


def test_a_part_of_a_package_is_missed_like_a_whole_one(scripts):
    need, remedy = scripts("common.failing").need, "pip install it"
    need({"json.decoder": remedy})
    for absent in ("json.nothing", "nothing.at_all"):
        with pytest.raises(scripts("common.failing").Refused, match=f"The library {absent} is not installed"):
            need({absent: remedy})


def test_a_regression_refuses_words(scripts, tmp_path):
    write(tmp_path / "training", {"data.csv": "price,1\n2,3\n4,5\n"})
    with pytest.raises(scripts("common.failing").Refused, match="predicts numbers, and CSV has no header"):
        scripts("tabular.training")._work(
            "regression", {}, scripts("tabular.channels").find(), scripts("tabular.crew").Crew()
        )


def test_a_job_without_its_channel_is_refused(scripts, monkeypatch):
    monkeypatch.delenv("SM_CHANNEL_TRAINING")
    with pytest.raises(scripts("common.failing").Refused, match="The channel training is missing"):
        scripts("tabular.channels").find()


@pytest.mark.parametrize(
    "index", ['{"cat_index_list": [2]}', '{"cat_index": [2]}', '{"cat_idx": [2]}', '{"cat_index_list": [2], "more": 1}']
)
@pytest.mark.parametrize("name", ["categorical_index.json", "cat_index.json", "cat_idx.json"])
def test_categorical_columns_are_listed_by_a_file_of_any_name(scripts, tmp_path, name, index):
    write(tmp_path / "training", {"data.csv": CSV, name: index})
    assert scripts("tabular.channels").find().categorical == [2]


def test_several_hosts_are_refused(scripts, monkeypatch):
    told = {"model_id": "catboost-regression-model", "requires": {}, "several_hosts": False}
    monkeypatch.setattr(scripts("common.model"), "told", lambda: told)
    monkeypatch.setenv("SM_HOSTS", '["algo-1", "algo-2"]')
    with pytest.raises(scripts("common.failing").Refused, match="trains on one instance here; the job asks for 2"):
        scripts("tabular.training").train(lambda work: None)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"num_boost_round": "many"}, "num_boost_round is 'many'; it has to be an integer at least 1."),
        ({"num_boost_round": 1.5}, "num_boost_round is 1.5; it has to be an integer at least 1."),
        ({"num_boost_round": 0}, "num_boost_round is 0; it has to be an integer at least 1."),
        ({"learning_rate": 1.5}, "learning_rate is 1.5; it has to be a number above 0 and below 1."),
        ({"lambda_l1": "nan"}, "lambda_l1 is 'nan'; it has to be a number at least 0."),
        ({"boosting": "xgb"}, "boosting is 'xgb'; it has to be one of gbdt, rf, dart, goss."),
        ({"num_bag_folds": 11}, "num_bag_folds is 11; it has to be an integer at least 0 and at most 10."),
        ({"num_bag_sets": 0}, "num_bag_sets is 0; it has to be an integer at least 1 and at most 20."),
        ({"num_stack_levels": 1.5}, "num_stack_levels is 1.5; it has to be an integer at least 0 and at most 3."),
        ({"refit_full": "all"}, "refit_full is 'all'; it has to be one of True, False."),
        ({"verbosity": 5}, "verbosity is 5; it has to be an integer at least 0 and at most 4."),
        (
            {"presets": "extreme_quality"},
            "presets is 'extreme_quality'; it has to be one of best_quality, high_quality, good_quality, "
            "medium_quality, optimize_for_deployment, interpretable.",
        ),
    ],
)
def test_a_hyperparameter_is_refused_by_name(scripts, given, wanted):
    rows = [*declared("lightgbm-classification-model"), *declared("autogluon-regression-ensemble")]
    with pytest.raises(scripts("common.failing").Refused) as refused:
        scripts("common.parameters").read(rows, given)
    assert str(refused.value) == f"The hyperparameter {wanted}"


def test_hyperparameters_arrive_decoded_and_what_is_not_declared_is_named(scripts, capsys):
    found = scripts("common.parameters").read(
        declared("lightgbm-classification-model"), {"is_unbalance": True, "max_depth": -1, "colour": "red"}
    )
    assert found["is_unbalance"] == "True" and found["max_depth"] == -1 and found["num_leaves"] == 64
    assert "no such hyperparameters: colour." in capsys.readouterr().out


def test_an_artifact_that_nobody_trained_is_not_deployed(scripts, tmp_path):
    with pytest.raises(scripts("common.failing").Refused, match="holds no trained model"):
        scripts("common.model").saved(str(tmp_path))


def test_defaults_are_those_that_are_known_of_aws():
    guide = json.loads((Path(__file__).parents[1] / "facts/jumpstart.json").read_text())
    known = [model["model_id"] for family in families.every() for model in family.models]
    for model_id in known:
        [rows] = [rows for pattern, rows in guide.items() if fnmatchcase(model_id, pattern)]
        assert {row["name"]: row["default"] for row in declared(model_id)} == rows, model_id
    assert all(any(fnmatchcase(model_id, pattern) for model_id in known) for pattern in guide)


def test_a_few_short_numbers_are_read_as_pandas_reads_them(scripts):
    """Which takes a hundred times as long for one row."""
    import numpy as np

    table, draw = scripts("tabular.table"), np.random.default_rng(5)
    whole = draw.integers(-(10**7) + 1, 10**7, (60, 3))
    parts = [
        f"{value:.{digits}f}" for value, digits in zip(draw.normal(0, 900, 120), draw.integers(1, 8, 120), strict=True)
    ]
    text = "".join(f"{a},{b},{c},{d},{e}\n" for (a, b, c), d, e in zip(whole, parts[:60], parts[60:], strict=True))
    found = table._few(text, 5)
    slow = table._features(table._read(io.StringIO(text), "it", []), [], 0, "it")
    assert found.equals(slow) and list(found.columns) == list(slow.columns)
    for odd in ("1,,3", "1,2", "1,2,x", "1, 2,3", "1,2,1e3", "1,2,0.12345678", '1,2,"3"', "1,2,3\n\n1,2,3", ""):
        assert table._few(odd, 3) is None


def test_archives_are_packed_once_for_all_regions():
    here, there = (bucket.objects(region) for region in ("us-east-1", "eu-west-1"))
    packed = [key for key in here if key.endswith(".tar.gz")]
    assert len(packed) > 100 and all(here[key] is there[key] for key in packed)
