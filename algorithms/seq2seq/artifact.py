"""The model, in files named as Sockeye's: `params.best`, `config`, and both vocabularies as they were given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common import ndarray_list, pytorch
from algorithms.common.faults import UserError
from algorithms.first_party import serve
from algorithms.seq2seq import vocabulary
from algorithms.seq2seq.hyperparameters import NETWORK
from algorithms.seq2seq.vocabulary import BEGIN, END, PAD, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algorithms.seq2seq.beam import Limits
    from algorithms.seq2seq.network import Network

PARAMETERS, CONFIG = "params.best", "config"


def write(folder: Path, network: Network, config: Mapping[str, Any], words: tuple[Vocabulary, Vocabulary]) -> None:
    """Each file is there as a whole or not at all: a job may be stopped at any time."""
    arrays = {f"arg:{name}": one.detach().numpy() for name, one in network.state_dict().items()}
    files = {
        CONFIG: json.dumps(config, indent=1).encode(),
        vocabulary.SOURCE: words[0].content,
        vocabulary.TARGET: words[1].content,
        PARAMETERS: ndarray_list.write(arrays),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        beside = folder.parent / f".{name}.part"
        beside.write_bytes(content)
        beside.replace(folder / name)


def config(values: Mapping[str, Any], ratio: float) -> dict[str, Any]:
    """What the network was made of, and how its answers are searched for."""
    kept = {one.name: values.get(one.name) for one in NETWORK}
    return kept | {"beam_size": values["beam_size"], "length_ratio": ratio}


def limits(told: Mapping[str, Any], target: Vocabulary) -> Limits:
    """What answers may look like."""
    from algorithms.seq2seq.beam import Limits

    begin, end, pad = (target.ids[name] for name in (BEGIN, END, PAD))
    return Limits(begin, end, pad, int(told["max_seq_len_target"]), float(told["length_ratio"]))


def read(folder: Path) -> tuple[Network, dict[str, Any], tuple[Vocabulary, Vocabulary]]:
    """The network of a folder, its config and its vocabularies; UserError when it holds none."""
    content = serve.content(folder, CONFIG)
    words = vocabulary.both(folder)
    arrays = serve.content(folder, PARAMETERS)
    torch = pytorch.loaded("Seq2Seq")
    from algorithms.seq2seq.network import Network

    try:
        told = json.loads(content)
        network = Network(told, (len(words[0]), len(words[1])))
        known = {name.partition(":")[2]: torch.from_numpy(one.copy()) for name, one in _named(arrays).items()}
        network.load_state_dict(known)
        limits(told, words[1])
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise UserError(f"'{PARAMETERS}' and '{CONFIG}' are no model of Seq2Seq: {error}") from error
    network.eval()
    return network, told, words


def _named(content: bytes) -> dict[str, Any]:
    found = ndarray_list.read(content)
    if not isinstance(found, dict):
        raise ValueError("its arrays have no names")
    return found
