"""TabTransformer as JumpStart's scripts: the paper's equations, models of scikit-learn and planted data as oracles."""

import importlib
import json
import re
import sys

import numpy as np
import pytest

from tests.algorithms.jumpstart_job import Tabular, spec, text

CLASSIFICATION, REGRESSION = (f"pytorch-tabtransformer{task}-model" for task in ("classification", "regression"))
KINDS = (6, 6, 5, 4)
INDEX = '{"cat_index_list": [1, 2, 3, 4]}'
QUICK = {"n_epochs": "6", "batch_size": "64", "learning_rate": "0.002", "n_blocks": "2"}
NOISE = 0.05


@pytest.fixture(autouse=True)
def libraries():
    pytest.importorskip("pandas")
    pytest.importorskip("torch")


def planted(model_id: str, rows: int, seed: int) -> np.ndarray:
    """Target, four categories, two numbers. What counts is whether the first two categories are both even or both odd,
    and, for a regression, the first number: of either category alone the target knows nothing."""
    draw = np.random.default_rng(seed)
    kinds = np.column_stack([draw.integers(0, many, rows) for many in KINDS])
    numbers = draw.normal(size=(rows, 2)).round(3)
    alike = (kinds[:, 0] + kinds[:, 1]) % 2
    if model_id == REGRESSION:
        target = (1000 + 50 * (4 * alike + numbers[:, 0] + draw.normal(0, 0.3, rows))).round(2)
    else:
        target = np.where(draw.random(rows) < NOISE, 1 - alike, alike)
    return np.column_stack([target, kinds, numbers])


def lines(rows: np.ndarray, target: bool = True) -> str:
    """CSV with the first category as a word."""
    told = ([f"{row[0]:.15g},"] * target + [f"kind-{row[1]:g},{text(row[None, 2:])}"] for row in rows)
    return "".join("".join(parts) for parts in told)


@pytest.fixture(scope="module", params=[CLASSIFICATION, REGRESSION])
def done(request, tmp_path_factory):
    """(model id, job, log, training rows, validation rows, what the endpoint answers to those, the endpoint)"""
    pytest.importorskip("pandas")
    pytest.importorskip("torch")
    job = Tabular(tmp_path_factory.mktemp("job"), request.param)
    rows = planted(request.param, 1500, 0), planted(request.param, 500, 1)
    for name, each in zip(("train", "validation"), rows, strict=True):
        job.put(f"training/{name}/data.csv", lines(each))
    job.put("training/categorical_index.json", INDEX)
    ended = job.fit(QUICK)
    assert ended.code == 0, ended.output
    with job.served() as server:
        answer = server.post(lines(rows[1], target=False), "text/csv", "application/json;verbose")
        assert answer.status == 200, answer.text
        yield request.param, job, ended.output, *rows, answer.json(), server


@pytest.fixture
def scripts(monkeypatch):
    """Imports a module of a job's code into this process."""
    before = set(sys.modules)

    def load(job, name: str):
        monkeypatch.syspath_prepend(job.code)
        return importlib.import_module(name)

    yield load
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("common", "tabular", "fitted", "fitting", "network", "encoding", "tasks"):
            del sys.modules[name]


def one_hot(rows: np.ndarray) -> np.ndarray:
    kinds = [(rows[:, [1 + place]] == np.arange(many)).astype(float) for place, many in enumerate(KINDS)]
    return np.hstack([*kinds, rows[:, 5:]])


def score(model_id: str, told: dict, target: np.ndarray) -> float:
    if model_id == CLASSIFICATION:
        return float(np.mean(np.array(told["predicted_label"]) == target))
    return float(1 - np.mean((np.array(told["prediction"]) - target) ** 2) / np.var(target))


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_it_learns_an_interaction_as_a_perceptron_does_and_no_linear_model_can(done):
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    model_id, _, _, training, validation, told, _ = done
    mean, deviation = (0, 1) if model_id == CLASSIFICATION else (training[:, 0].mean(), training[:, 0].std())
    target, held = (training[:, 0] - mean) / deviation, (validation[:, 0] - mean) / deviation
    linear, perceptron = (
        (LogisticRegression(), MLPClassifier(hidden_layer_sizes=(64, 32), max_iter=60, random_state=0))
        if model_id == CLASSIFICATION
        else (LinearRegression(), MLPRegressor(hidden_layer_sizes=(64, 32), max_iter=60, random_state=0))
    )
    x, v = one_hot(training), one_hot(validation)
    found = score(model_id, told, validation[:, 0])
    assert found > perceptron.fit(x, target).score(v, held) - 0.02
    assert found > 0.9  # Of the labels 0.95 can be known, of the numbers' variance 0.98.
    assert linear.fit(x, target).score(v, held) < 0.6


def test_the_metric_in_the_log_is_that_of_the_answers(done):
    from sklearn.metrics import f1_score, r2_score

    model_id, _, log, _, validation, told, _ = done
    found = {row["Name"]: re.findall(row["Regex"], log) for row in spec(model_id)["metrics"]}
    name = "f1_score" if model_id == CLASSIFICATION else "r2"
    assert [key for key, values in found.items() if values] == [name]
    assert len(found[name]) == 6 + 1  # Each epoch's, and at the end that of the network which is kept.
    directly = f1_score if model_id == CLASSIFICATION else r2_score
    answers = told["predicted_label" if model_id == CLASSIFICATION else "prediction"]
    assert float(found[name][-1]) == pytest.approx(directly(validation[:, 0], answers), abs=1e-4)
    losses = [float(loss) for loss in re.findall(r"^valid: loss=(\S+),", log, re.M)]
    kept = re.search(r"The network of epoch (\d+) is kept: loss=(\S+),", log)
    assert int(kept[1]) == int(np.argmin(losses)) + 1 and float(kept[2]) == min(losses)
    if model_id == REGRESSION:  # In the target's own units, though the network learns it standardized.
        assert min(losses) == pytest.approx(np.mean((np.array(answers) - validation[:, 0]) ** 2), rel=1e-3)


def test_it_answers_what_the_papers_equations_say(done):
    import torch

    model_id, job, _, _, validation, told, _ = done
    weights = {name: value.double().numpy() for name, value in torch.load(job.model / "model.pt").items()}
    network = json.loads((job.model / "network.json").read_text())
    outputs = by_the_paper(weights, network, validation)
    if model_id == REGRESSION:
        mean, deviation = network["target"]
        np.testing.assert_allclose(told["prediction"], outputs[:, 0] * deviation + mean, rtol=1e-4)
        return
    chance = 1 / (1 + np.exp(-outputs[:, 0]))
    np.testing.assert_allclose(told["probabilities"], np.column_stack([1 - chance, chance]), atol=1e-4)
    assert told["labels"] == [0, 1] and told["predicted_label"] == (chance > 0.5).astype(int).tolist()


def by_the_paper(weights: dict, network: dict, rows: np.ndarray) -> np.ndarray:
    """Section 2 and appendix A of arXiv:2012.06678 in numpy."""
    known = network["encoding"]["categories"]
    words = np.column_stack([[f"kind-{value:g}" for value in rows[:, 1]], rows[:, 2:5].astype(int).astype(str)])
    start, embedded = 0, []
    for place, names in enumerate(known.values()):
        own = weights["columns.category.weight"][[start + 1 + names.index(word) for word in words[:, place]]]
        column = np.tile(weights["columns.column"][place], (len(rows), 1))
        embedded.append(np.hstack([column, own]))
        start += 1 + len(names)
    found = np.stack(embedded, axis=1)
    for block in range(network["shape"]["blocks"]):
        told = {name.partition(f"blocks.{block}.")[2]: value for name, value in weights.items()}
        found = normalized(found + attended(found, told), told, "norm1")
        inner = found @ told["linear1.weight"].T + told["linear1.bias"]
        found = normalized(found + gelu(inner) @ told["linear2.weight"].T + told["linear2.bias"], told, "norm2")
    spread = np.array(list(network["encoding"]["numbers"].values()))
    found = np.hstack([found.reshape(len(rows), -1), (rows[:, 5:] - spread[:, 0]) / spread[:, 1]])
    for layer in (0, 3, 6):
        found = found @ weights[f"perceptron.{layer}.weight"].T + weights[f"perceptron.{layer}.bias"]
        found = found if layer == 6 else np.maximum(found, 0)
    return found


def attended(found: np.ndarray, told: dict, heads: int = 8) -> np.ndarray:
    """Each column's query against all columns' keys."""
    rows, columns, width = found.shape
    projected = found @ told["self_attn.in_proj_weight"].T + told["self_attn.in_proj_bias"]
    query, key, value = projected.reshape(rows, columns, 3, heads, width // heads).transpose(2, 0, 3, 1, 4)
    scores = np.exp(query @ key.swapaxes(2, 3) / np.sqrt(width // heads))
    mixed = (scores / scores.sum(axis=3, keepdims=True)) @ value
    mixed = mixed.transpose(0, 2, 1, 3).reshape(rows, columns, width)
    return mixed @ told["self_attn.out_proj.weight"].T + told["self_attn.out_proj.bias"]


def normalized(found: np.ndarray, told: dict, name: str) -> np.ndarray:
    centred = found - found.mean(axis=2, keepdims=True)
    scaled = centred / np.sqrt(centred.var(axis=2, keepdims=True) + 1e-5)
    return scaled * told[f"{name}.weight"] + told[f"{name}.bias"]


def gelu(found: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    return 0.5 * found * (1 + erf(found / np.sqrt(2)))


def test_attention_tells_a_column_what_the_other_columns_hold(done, scripts):
    """What stands at the first column's place knows whether both are alike; with attention silenced it does not."""
    import torch
    from sklearn.linear_model import LogisticRegression

    _, job, _, training, validation, _, _ = done
    network = scripts(job, "fitted").load(job.model, [0, 1]).network
    codes = [torch.from_numpy(rows[:, 1:5].astype(np.int64) + 1) for rows in (training, validation)]
    alike = [(rows[:, 1] + rows[:, 2]) % 2 for rows in (training, validation)]

    def knows(known) -> float:
        x, v = (known(each).detach().numpy() for each in codes)
        return LogisticRegression(max_iter=2000).fit(x, alike[0]).score(v, alike[1])

    network.train()  # The layers' own code, where a hook is heard, without dropout.
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for block in network.blocks:
        block.self_attn.dropout = 0.0
    assert knows(lambda each: network.contexts(each)[:, 0]) > 0.8
    silence = [block.self_attn.register_forward_hook(lambda _, __, out: (0 * out[0], None)) for block in network.blocks]
    assert knows(lambda each: network.contexts(each)[:, 0]) < 0.6
    for hook in silence:
        hook.remove()


def test_requests_are_refused_by_their_types_and_what_training_never_saw_is_a_gap(done):
    _, _, _, _, validation, _, server = done
    body = lines(validation[:3], target=False)
    refused = [
        server.post("{}", "application/json"), server.post(body, "text/csv", "text/csv"),
        server.post(lines(validation[:3]), "text/csv"), server.post("", "text/csv"),
        server.post("kind-1,1,1,1,inf,0\n", "text/csv"), server.post("kind-1,1,1,1,x,0\n", "text/csv"),
    ]  # fmt: skip
    gaps = server.post("kind-1,1,1,1,,0.3\nother,1,1,1,0.1,0.2\n,1,1,1,0.1,0.2\n", "text/csv")
    assert [answer.status for answer in refused] == [415, 406, 400, 400, 400, 400]
    assert refused[2].text == "A row of the request has 7 columns; the model was trained with 6. Leave the target out."
    assert "feature 4 (from 0) holds an infinite number" in refused[4].text
    [found] = gaps.json().values()
    assert gaps.status == 200 and len(found) == 3 and found[0] != found[1]
    np.testing.assert_allclose(found[1], found[2], rtol=1e-5)


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """Labels that are words, gaps in a category, no validation data, and hyperparameters of our own."""
    pytest.importorskip("pandas")
    pytest.importorskip("torch")
    job = Tabular(tmp_path_factory.mktemp("words"), CLASSIFICATION)
    draw = np.random.default_rng(3)
    rows = [[draw.choice(["ant", "bee", ""]), draw.normal()] for _ in range(600)]
    content = "".join(f"{'cat' if number > 1 else 'gap' if kind == '' else kind},{kind},{number:.3f}\n"
                      for kind, number in rows)  # fmt: skip
    job.put("training/data.csv", content)
    job.put("training/categorical_index.json", '{"cat_index_list": [1]}')
    given = {"n_epochs": "30", "patience": "2", "batch_size": "32", "input_dim": "16", "n_blocks": "1",
             "frac_shared_embed": "0.5", "learning_rate": "0.01"}  # fmt: skip
    return job, job.fit(given)


def test_several_labels_that_are_words_with_gaps_that_mean_something(words):
    job, ended = words
    assert ended.code == 0, ended.output
    assert "There is no validation data: 120 of 600 rows are split off at random." in ended.output
    metric = {row["Name"]: row["Regex"] for row in spec(CLASSIFICATION)["metrics"]}["accuracy_score"]
    assert float(re.findall(metric, ended.output)[-1]) > 0.95
    with job.served() as server:
        told = server.post("ant,0\nbee,0\n,0\nant,2\n", "text/csv", "application/json;verbose").json()
    assert told["labels"] == ["ant", "bee", "cat", "gap"] and told["predicted_label"] == ["ant", "bee", "gap", "cat"]
    np.testing.assert_allclose(np.sum(told["probabilities"], axis=1), 1, rtol=1e-5)


def test_the_hyperparameters_shape_the_network_and_patience_ends_the_training(words):
    import torch

    job, ended = words
    weights = torch.load(job.model / "model.pt")
    assert weights["columns.column"].shape == (1, 8) and weights["columns.category.weight"].shape == (3, 8)
    assert {name.split(".")[1] for name in weights if name.startswith("blocks.")} == {"0"}
    assert weights["perceptron.0.weight"].shape == (4 * 17, 17)
    assert weights["perceptron.3.weight"].shape == (2 * 17, 4 * 17)
    epochs = [float(loss) for loss in re.findall(r"^valid: loss=(\S+),", ended.output, re.M)]
    assert len(epochs) < 30 and "Stopped early: no better on the validation data for 2 epochs." in ended.output
    assert min(epochs) == epochs[-3]


def test_each_dropout_is_where_the_guide_says(scripts, tmp_path):
    job = Tabular(tmp_path, CLASSIFICATION)
    network = scripts(job, "network")
    made = network.TabTransformer(network.Shape([3], 1, 1, 16, 1, 0.25, (0.7, 0.3)))
    [block] = made.blocks
    assert block.self_attn.dropout == block.dropout1.p == 0.7
    assert {block.dropout.p, block.dropout2.p, made.perceptron[2].p, made.perceptron[5].p} == {0.3}


def test_without_categories_it_is_a_perceptron(tmp_path):
    import torch

    job, rows = Tabular(tmp_path, REGRESSION), np.random.default_rng(0).normal(size=(300, 3)).round(3)
    rows[:, 0] = rows[:, 1] - rows[:, 2] ** 2
    job.put("training/data.csv", text(rows))
    ended = job.fit({"n_epochs": "20", "batch_size": "16", "learning_rate": "0.01", "epoch": "3"})
    assert ended.code == 0, ended.output
    assert "Not used, for this model has no such hyperparameters: epoch." in ended.output
    assert float(re.findall(r"metrics=\{'r2': (\S+)\}", ended.output)[-1]) > 0.8
    assert all(name.startswith("perceptron.") for name in torch.load(job.model / "model.pt"))


BAD = [
    ({"patience": 61}, "The hyperparameter patience is 61; it has to be an integer at least 2 and at most 60."),
    ({"input_dim": 48}, "The hyperparameter input_dim is '48'; it has to be one of 16, 32, 64, 128, 256, 512."),
    ({"frac_shared_embed": 1}, "frac_shared_embed is 1; it has to be a number at least 0 and below 1."),
    ({"learning_rate": 1e30}, "The loss is not a number after the first epoch. A smaller learning_rate may help."),
    ({}, "The target (the first column) holds an infinite number."),
]


@pytest.mark.parametrize(("given", "wanted"), BAD, ids=[next(iter(given), "infinite") for given, _ in BAD])
def test_what_cannot_be_trained_is_refused_in_a_sentence(scripts, tmp_path, monkeypatch, given, wanted):
    job = Tabular(tmp_path, REGRESSION)
    target = "inf" if not given else "2"
    job.put("training/data.csv", f"1,0.5,a\n{target},0.25,b\n3,0.1,a\n" * 4)
    job.put("training/categorical_index.json", '{"cat_index": [2]}')
    monkeypatch.setenv("SM_CHANNEL_TRAINING", str(job.base / "input/data/training"))
    monkeypatch.setenv("SM_HPS", json.dumps(given))
    monkeypatch.setenv("SM_MODEL_DIR", str(job.model))
    fit = scripts(job, "fitting").fit
    with pytest.raises(scripts(job, "common.failing").Refused) as refused:
        scripts(job, "tabular.training").train(fit)
    assert wanted in str(refused.value)


def test_too_large_a_network_asks_for_a_smaller_one(scripts, tmp_path, monkeypatch):
    job = Tabular(tmp_path, REGRESSION)
    fitting = scripts(job, "fitting")

    def full(work):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(fitting, "made", full)
    with pytest.raises(scripts(job, "common.failing").Refused, match="Use a smaller input_dim or batch_size"):
        fitting.fit(None)


def test_without_pytorch_the_job_says_how_to_install_it(tmp_path):
    job = Tabular(tmp_path, CLASSIFICATION)
    told = json.loads((job.code / "told.json").read_text())
    remedy = "pip install 'sagelet[tabular,torch]'"
    assert told["requires"] == {"pandas": remedy, "torch": remedy}
    (job.code / "told.json").write_text(json.dumps({**told, "requires": {"not_torch": remedy}}))
    job.put("training/data.csv", "1,2\n")
    assert job.fit().failure == (
        f"ClientError: The library not_torch is not installed where this job runs. Install it beside Sagelet: {remedy}"
    )


@pytest.mark.parametrize("kind", ["m5", "p3"])
def test_its_images_are_those_of_pytorch_with_a_gpu_where_the_instance_has_one(kind):
    images = [
        spec(CLASSIFICATION)[f"{scope}_instance_type_variants"]["variants"][kind]["properties"]["image_uri"]
        for scope in ("training", "hosting")
    ]
    processor = "gpu" if kind == "p3" else "cpu"
    assert images == [
        f"763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-{scope}:1.9.0-{processor}-py38"
        for scope in ("training", "inference")
    ]
