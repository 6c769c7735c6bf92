"""What the data of a job are like: what is told of them, what a model takes from them, and what they must not be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common.faults import UserError
from algorithms.deepar import files, series
from algorithms.deepar.hyperparameters import IGNORE
from algorithms.deepar.series import Series
from algorithms.deepar.windows import Shape

if TYPE_CHECKING:
    from algorithms.first_party.run import Run

LEAST = 300
"""Observations that the developer guide demands of a training channel."""


def read(run: Run, channel: str) -> list[Series]:
    """The series of a channel; UserError when the likelihood is not made for them."""
    found = list(series.unpacked(run.table(channel).features))
    known = _observed(found)
    likelihood = run.values["likelihood"]
    if likelihood == "negative-binomial" and len(known) and ((known < 0) | (known % 1 != 0)).any():
        raise UserError(
            f"The likelihood negative-binomial is for counts, and channel '{channel}' has a target that is negative or "
            "no whole number. Use student-T or gaussian."
        )
    if likelihood == "beta" and ((known < 0) | (known > 1)).any():
        raise UserError(
            f"The likelihood beta is for numbers between 0 and 1, and channel '{channel}' has others as a target. "
            "Use student-T or gaussian."
        )
    return found


def shape(run: Run, found: Sequence[Series]) -> Shape:
    """What the model is made for; UserError when the training data do not do."""
    values, known = run.values, np.abs(_observed(found))
    if len(known) < LEAST:
        raise UserError(
            f"The training time series have {len(known)} observations in total, and DeepAR needs at least {LEAST}."
        )
    if not known.any():
        raise UserError("training time series consist of only zeros")
    cardinality = _cardinality(run, found)
    features = _dynamic(run, found)
    centre, spread = _moments(found) if features else ((), ())
    longest = max(len(one) for one in found)
    return Shape(
        frequency=values["time_freq"],
        context=values["context_length"],
        prediction=values["prediction_length"],
        likelihood=values["likelihood"],
        lags=tuple(lag for lag in values["time_freq"].lags() if lag == 1 or lag < longest),
        cells=values["num_cells"],
        layers=values["num_layers"],
        embedding=values["embedding_dimension"],
        dropout=values["dropout_rate"],
        cardinality=cardinality,
        level=float(known.mean()),
        centre=centre,
        spread=spread,
    )


def fitted(channel: str, found: Sequence[Series], shape: Shape) -> list[Series]:
    """The series with what the model takes of them; UserError when one lacks something."""
    made = []
    for number, one in enumerate(found, 1):
        try:
            made.append(series.fitted(one, shape.cardinality, shape.dynamic))
        except ValueError as error:
            raise UserError(f"Time series {number} of channel '{channel}': {error}.") from error
    return made


def statistics(name: str, found: Sequence[Series]) -> Iterator[str]:
    """The lines that the log has of a channel."""
    known = _observed(found)
    yield f"{name} set statistics:"
    yield "Integer time series" if len(known) and (known % 1 == 0).all() else "Real time series"
    yield f"number of time series: {len(found)}"
    yield f"number of observations: {len(known)}"
    yield f"mean target length: {np.mean([len(one) for one in found])}"
    if len(known):
        yield f"min/mean/max target: {known.min()}/{known.mean()}/{known.max()}"
        yield f"mean abs(target): {np.abs(known).mean()}"
    missing = sum(len(one) for one in found) > len(known)
    yield f"contains missing values: {'yes' if missing else 'no'}"


def _observed(found: Sequence[Series]) -> Any:
    whole = np.concatenate([one.target for one in found])
    return whole[~np.isnan(whole)]


def _cardinality(run: Run, found: Sequence[Series]) -> tuple[int, ...]:
    given = run.values["cardinality"]
    if given == IGNORE:
        return ()
    if given != "auto":
        return tuple(given)
    width = max(len(one.cat) for one in found)
    _tell(run, "cardinality", "cat", bool(width))
    if not width:
        return ()
    if lacking := [number for number, one in enumerate(found, 1) if len(one.cat) != width]:
        raise UserError(
            f"Time series {lacking[0]} of channel 'train': 'cat' has {len(found[lacking[0] - 1].cat)} categories, and "
            f"others have {width}. Give all as many, or set cardinality to ignore."
        )
    sizes = [int(size) for size in np.max([one.cat for one in found], axis=0) + 1]
    run.log.info(f"[cardinality=auto] Inferred value of cardinality={sizes} from dataset.")
    return tuple(sizes)


def _dynamic(run: Run, found: Sequence[Series]) -> int:
    given = run.values["num_dynamic_feat"]
    if given == IGNORE:
        return 0
    if given != "auto":
        count = int(given)
    else:
        count = max(0 if one.dynamic is None else len(one.dynamic) for one in found)
        _tell(run, "num_dynamic_feat", "dynamic_feat", bool(count))
        if count:
            run.log.info(f"[num_dynamic_feat=auto] Inferred value of num_dynamic_feat={count} from dataset.")
    for number, one in enumerate(found, 1):
        has = 0 if one.dynamic is None else len(one.dynamic)
        if count and has != count:
            raise UserError(
                f"Time series {number} of channel 'train': 'dynamic_feat' has {has} series, and {count} are expected. "
                "Give all as many, or set num_dynamic_feat to ignore."
            )
    return count


def _tell(run: Run, name: str, member: str, there: bool) -> None:
    listed = files.listed(run.layout.channel("train"))
    where = f" in the file `{listed[0]}`" if listed else ""
    said = "was found" if there else "was NOT found"
    run.log.info(
        f"[{name}=auto] `{member}` field {said}{where} and will {'' if there else 'NOT '}be used for training."
    )


def _moments(found: Sequence[Series]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The mean and the deviation of each dynamic feature: some are years, others are none or one."""
    whole = np.concatenate([one.dynamic for one in found if one.dynamic is not None], axis=1)
    spread = whole.std(axis=1)
    return tuple(whole.mean(axis=1).tolist()), tuple(np.where(spread > 0, spread, 1.0).tolist())
