"""Seq2Seq's parts against what they are defined to be: attention, beam search, BLEU, rates, buckets, checkpoints."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from algorithms.common import recordio
from algorithms.common.hyperparameters import defaults
from algorithms.seq2seq import bleu
from algorithms.seq2seq.hyperparameters import DECLARED
from algorithms.seq2seq.schedules import Schedule
from algorithms.seq2seq.sequences import Buckets, Pairs, filled
from tests.algorithms import toy
from tests.algorithms.aialgs import frame, record_class

torch = pytest.importorskip("torch", reason="pip install 'sagelet[torch]'")
from algorithms.seq2seq import fitting, network  # noqa: E402
from algorithms.seq2seq.attention import ATTENTIONS, weights  # noqa: E402
from algorithms.seq2seq.beam import Limits, search  # noqa: E402

SMALL = {"num_embed_source": 5, "num_embed_target": 6, "rnn_num_hidden": 8, "cnn_num_hidden": 8, "weight_init_scale": 9}
KINDS = [
    {},
    {"rnn_cell_type": "gru", "rnn_attention_type": "dot", "rnn_attention_num_hidden": 3, "encoder_type": "cnn"},
    {"num_layers_encoder": 3, "num_layers_decoder": 3, "rnn_residual_connections": True},
    {"num_layers_decoder": 2, "rnn_attention_in_upper_layers": False, "rnn_attention_type": "bilinear",
     "rnn_decoder_state_init": "avg"},
    {"rnn_attention_type": "fixed", "rnn_decoder_state_init": "zero"},
    {"decoder_type": "cnn", "num_layers_decoder": 2},
    {"encoder_type": "cnn", "decoder_type": "cnn", "cnn_kernel_width_encoder": 4, "cnn_kernel_width_decoder": 1},
    *({"encoder_type": "cnn", "decoder_type": "cnn", "cnn_activation_type": kind} for kind in ("relu", "softrelu")),
]  # fmt: skip


def made(values: dict[str, Any], words: int = 9) -> tuple[Any, dict[str, Any]]:
    torch.set_num_threads(1)
    torch.manual_seed(3)
    whole = defaults(DECLARED) | SMALL | values
    return network.begun(whole, (words, words)).eval(), whole


def drawn(rows: int, longest: int, words: int = 9) -> list[Any]:
    draw = np.random.default_rng(2)
    return [draw.integers(4, words, draw.integers(1, longest + 1)) for _ in range(rows)]


@pytest.mark.parametrize("values", KINDS, ids=str)
def test_a_decoder_says_the_same_word_by_word_and_at_once(values: dict[str, Any]) -> None:
    net, _ = made(values)
    rows, lengths = (torch.from_numpy(one) for one in filled(drawn(4, 6)))
    before = torch.randint(4, 9, (4, 7))
    memory = net.encode(rows, lengths)
    whole, state = net(rows, lengths, before), net.decoder.begin(memory)
    for at in range(7):
        found, looked, state = net.decoder.step(net.embed(before[:, at]), state, memory, at)
        assert torch.allclose(net.output(found), whole[:, at], atol=1e-5)
        assert torch.allclose(looked.sum(1), torch.ones(4), atol=1e-5)
        assert not looked[~memory.words].any(), "nobody looks behind the end"


@pytest.mark.parametrize("values", KINDS, ids=str)
def test_what_fills_a_batch_up_changes_nothing(values: dict[str, Any]) -> None:
    net, _ = made(values)
    net.double()
    sources, before = drawn(4, 6), torch.randint(4, 9, (4, 5))
    rows, lengths = (torch.from_numpy(one) for one in filled(sources, length=11))
    together = net(rows, lengths, before)
    for number, source in enumerate(sources):
        alone, length = (torch.from_numpy(one) for one in filled([source]))
        assert torch.allclose(net(alone, length, before[number : number + 1])[0], together[number], atol=1e-5)


@pytest.mark.parametrize("values", KINDS, ids=str)
def test_words_to_come_are_not_seen(values: dict[str, Any]) -> None:
    net, _ = made(values)
    rows, lengths = (torch.from_numpy(one) for one in filled(drawn(3, 6)))
    before = torch.randint(4, 9, (3, 8))
    other = before.clone()
    other[:, 5:] = 4 + (before[:, 5:] - 3) % 5
    first, second = net(rows, lengths, before), net(rows, lengths, other)
    assert torch.equal(first[:, :5], second[:, :5]) and not torch.allclose(first[:, 5:], second[:, 5:])


@pytest.mark.parametrize("values", KINDS, ids=str)
def test_every_weight_is_learned(values: dict[str, Any]) -> None:
    net, _ = made(values)
    rows, lengths = (torch.from_numpy(one) for one in filled(drawn(4, 6)))
    net(rows, lengths, torch.randint(4, 9, (4, 7))).square().sum().backward()
    idle = {name for name, one in net.named_parameters() if one.grad is None or not one.grad.any()}
    if values.get("rnn_attention_type") == "fixed":
        idle.discard("encoder.first.weight_hh_l0_reverse")  # Read from behind, the last state has one word before it.
    assert not idle


def test_attention_is_what_the_papers_say() -> None:
    torch.manual_seed(1)
    query, states = torch.randn(2, 4), torch.randn(2, 3, 6)
    words = torch.tensor([[True, True, True], [True, True, False]])
    dot, bilinear, mlp, fixed = (ATTENTIONS[name](4, 6, 5) for name in ("dot", "bilinear", "mlp", "fixed"))
    w, u = dot.query.weight, dot.key.weight
    wanted = {
        dot: lambda q, s: (w @ q) @ (u @ s),
        bilinear: lambda q, s: q @ bilinear.key.weight @ s,
        mlp: lambda q, s: mlp.score.weight[0] @ torch.tanh(mlp.query.weight @ q + mlp.query.bias + mlp.key.weight @ s),
    }
    for one, score in wanted.items():
        found = one.scores(query, one.keys(states))
        assert torch.allclose(
            found, torch.stack([torch.stack([score(query[n], s) for s in states[n]]) for n in (0, 1)])
        )
    assert weights(fixed.scores(query, fixed.keys(states)), words).tolist() == [[0, 0, 1], [0, 1, 0]]
    assert weights(torch.zeros(2, 3), words)[1].tolist() == [0.5, 0.5, 0]


@pytest.mark.parametrize("values", [{}, {"encoder_type": "cnn", "decoder_type": "cnn"}], ids=str)
def test_a_wide_beam_finds_the_best_of_all_sequences(values: dict[str, Any]) -> None:
    """All of up to 3 words of 4 (one of them is unknown), each with its mean logarithm, are counted out."""
    net, _ = made(values, words=7)
    sources = drawn(3, 5, words=7)
    limits = Limits(begin=2, end=3, pad=0, longest=3, ratio=9.0)
    for source, found in zip(sources, search(net, sources, limits, 200), strict=True):
        rows, lengths = (torch.from_numpy(one) for one in filled([source]))
        best, words = -math.inf, None
        for count in range(4):
            for one in itertools.product((1, 4, 5, 6), repeat=count):
                chances = net(rows, lengths, torch.tensor([[2, *one]])).log_softmax(2)[0]
                mean = float(chances[range(count + 1), [*one, 3]].mean().detach())
                best, words = max((best, words), (mean, list(one)))
        assert found.words == words
        assert found.matrix.shape == (len(found.words), len(source))


def test_a_beam_of_one_takes_the_likeliest_word_each_time() -> None:
    net, _ = made({}, words=9)
    sources = drawn(4, 6)
    for source, found in zip(sources, search(net, sources, Limits(2, 3, 0, 6, 9.0), 1), strict=True):
        rows, lengths = (torch.from_numpy(one) for one in filled([source]))
        words = [2]
        while len(words) <= 6:
            scores = net(rows, lengths, torch.tensor([words]))[0, -1]
            scores[[0, 2]] = -math.inf
            if int(scores.argmax()) == 3:
                break
            words.append(int(scores.argmax()))
        assert found.words == words[1:]


def test_answers_are_no_longer_than_the_training_makes_likely() -> None:
    net, _ = made({})
    with torch.no_grad():
        net.output.bias[3] = -99.0  # No sequence ends by itself.
    sources = drawn(5, 6)
    found = search(net, sources, Limits(2, 3, 0, 8, 1.5), 3)
    assert [len(one.words) for one in found] == [min(8, math.ceil(1.5 * len(source))) for source in sources]


def test_bleu_is_that_of_the_paper() -> None:
    the = ["the", "the", "the", "the", "the", "the", "the"]
    cat = ["the", "cat", "is", "on", "the", "mat"]
    first, second = 2 / 7, 0.01 / 6  # The paper's example: two of seven; FLOOR for what has none.
    assert bleu.bleu([the], [cat]) == pytest.approx((first * second * (0.01 / 5) * (0.01 / 4)) ** 0.25)
    assert bleu.bleu([cat], [cat]) == 1
    short = cat[:5]
    assert bleu.bleu([short], [cat]) == pytest.approx(math.exp(1 - 6 / 5))
    mixed = ["the", "cat", "sat", "on", "the", "mat"]
    assert bleu.bleu([mixed], [cat]) == pytest.approx((5 / 6 * 3 / 5 * 1 / 4 * 0.01 / 3) ** 0.25)
    assert bleu.bleu([[1]], [[1]]) == 1, "orders that nobody has do not count"
    assert bleu.bleu([[]], [[1]]) == 0


def schedule(kind: str) -> Schedule:
    values = defaults(DECLARED) | {"lr_scheduler_type": kind, "learning_rate": 0.8, "plateau_reduce_lr_threshold": 2}
    return Schedule.of(values | {"checkpoint_frequency_num_batches": 20, "fixed_rate_lr_half_life": 5})


def test_fixed_rates_are_halved_after_the_checkpoints_that_were_said() -> None:
    for kind, later in (("fixed_rate_inv_t", 0.2), ("fixed_rate_inv_sqrt_t", 0.8 / math.sqrt(10))):
        one = schedule(kind)
        assert [one.rate(batch) for batch in (0, 100, 300)] == pytest.approx([0.8, 0.4, later])
        assert not any(one.told(False) for _ in range(5))


def test_a_rate_falls_when_checkpoints_get_no_better() -> None:
    one = schedule("plateau_reduce")
    assert [one.told(improved) for improved in (True, False, True, False, False, False, False)] == [
        False, False, False, False, True, False, True,
    ]  # fmt: skip
    assert one.rate(999) == pytest.approx(0.2)


def test_a_bucket_holds_what_is_alike_in_length_and_each_pair_once() -> None:
    sources = toy.sources(300, 1, longest=40)
    pairs = Pairs([np.array(one) for one in sources], [np.array(one * 2) for one in sources])
    batches = list(Buckets.of(pairs, 10, (100, 100)).batches(16, np.random.default_rng(1)))
    assert sorted(row for batch in batches for row in batch.tolist()) == list(range(300))
    for batch in batches:
        lengths = [len(pairs.targets[row]) for row in batch]
        assert len(batch) <= 16 and max(lengths) - min(lengths) < 10
    [one] = Buckets.of(pairs, 0, (100, 100)).groups
    assert len(one) == 300


@pytest.mark.parametrize(("kind", "scale"), [("in", 1 / 12), ("out", 1 / 3), ("avg", 2 / 15)])
def test_weights_begin_as_mxnet_draws_them(kind: str, scale: float) -> None:
    net, _ = made({"xavier_factor_type": kind, "encoder_type": "cnn", "cnn_num_hidden": 4, "weight_init_scale": 2.0,
                   "cnn_activation_type": "relu"})  # fmt: skip
    inner = net.encoder.layers[0].inner  # 4 of 4 in windows of 3: 12 into each, 12 out of each.
    limit = math.sqrt(2.0 / 12)
    assert 0.7 * limit < float(inner.weight.abs().max().detach()) <= limit and not inner.bias.any()
    output = net.output.weight  # 8 into 9
    most = math.sqrt(2.0 / {"in": 8, "out": 9, "avg": 8.5}[kind])
    assert 0.9 * most < float(output.abs().max().detach()) <= most
    uniform, _ = made({"weight_init_type": "uniform", "weight_init_scale": -0.3})
    assert 0.27 < float(uniform.output.weight.abs().max().detach()) <= 0.3


def pairs(count: int, seed: int) -> Pairs:
    sources = toy.sources(count, seed)
    return Pairs([np.array(one) for one in sources], [np.array(toy.translated(one)) for one in sources])


def trained(scores: list[float], **values: Any) -> list[fitting.Checkpoint]:
    """With validations that find these perplexities."""
    net, whole = made({"batch_size": 10, "checkpoint_frequency_num_batches": 2, **values}, words=24)
    told = iter(scores)

    def evaluate() -> fitting.Measured:
        return fitting.Measured(loss=math.log(next(told)), words=1)

    return list(fitting.checkpoints(net, whole, pairs(50, 1), Limits(2, 3, 0, 9, 1.0), evaluate))


def test_checkpoints_end_when_they_get_no_better() -> None:
    found = trained([9, 8, 8.5, 8, 8.1, 1], checkpoint_threshold=3)
    assert [one.bad for one in found] == [0, 0, 1, 2, 3]
    assert [one.updates for one in found] == [2, 4, 6, 8, 10] and found[-1].since == (20, 2)
    longer = trained([9, 8, *[8.5] * 9], checkpoint_threshold=3, min_num_epochs=3)
    assert longer[-1].epoch == 3 and len(longer) == 6


def test_the_last_batch_is_followed_by_a_checkpoint() -> None:
    assert [one.updates for one in trained([9, 8, 7], max_num_batches=5)] == [2, 4, 5]
    assert [one.updates for one in trained([9, 8, 7], max_num_epochs=1)] == [2, 4, 5]
    assert [one.updates for one in trained([9] * 4, checkpoint_threshold=9, max_num_batches=1)] == [1]


def test_the_metric_that_is_watched_is_the_one_that_was_chosen() -> None:
    measured = fitting.Measured(loss=2 * math.log(4), right=1, words=2, bleu=0.25)
    assert measured.perplexity == pytest.approx(4)
    assert [measured.of(name) for name in ("perplexity", "accuracy", "bleu")] == pytest.approx([-4, 0.5, 0.25])


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_optimizers_lower_the_loss(optimizer: str) -> None:
    values = {"optimizer_type": optimizer, "learning_rate": 0.2 if optimizer == "sgd" else 0.01, "momentum": 0.9}
    net, whole = made({**values, "max_num_epochs": 4, "weight_decay": 1e-4, "weight_init_scale": 2.34}, words=24)
    limits, held = Limits(2, 3, 0, 9, 1.0), pairs(40, 2)
    before = fitting.evaluate(net, held, limits, None).perplexity
    *_, last = fitting.checkpoints(net, whole, pairs(400, 1), limits, lambda: fitting.evaluate(net, held, limits, None))
    assert last.validation.perplexity < 0.8 * before


def test_sequences_are_written_as_protobuf_writes_them() -> None:
    records = [{"source": [4, 300, 2**31 - 1], "target": []}, {"source": [-1], "target": [5]}]
    wanted = b""
    for one in records:
        record = record_class()()
        for name, values in one.items():
            record.features[name].int32_tensor.values.extend(values)
        wanted += frame(record.SerializeToString(deterministic=True))
    assert recordio.write_sequences(records) == wanted
    for found, one in zip(recordio.read(wanted), records, strict=True):
        assert {name: values.tolist() for name, (values, _, _) in found[0].items()} == one
