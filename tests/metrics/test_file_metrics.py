"""Numbers as files: order, durability, and reading only what is new."""

from __future__ import annotations

from pathlib import Path

from emulator.call import Scope
from emulator.metrics import FileMetrics
from emulator.ports import Point


def point(resource: str, name: str, value: float, step: int | None = None) -> Point:
    return Point(resource, name, value, 1_700_000_000.25, step)


def test_points_come_back_in_the_order_of_their_arrival_from_another_reader(tmp_path: Path) -> None:
    points = [point("job-a", "loss", 0.5, 1), point("job-b", "loss", 9.0), point("job-a", "acc", 0.1)]
    FileMetrics(tmp_path / "m").append(points)
    FileMetrics(tmp_path / "m").append([point("job-a", "loss", 0.25, 2)])
    metrics = FileMetrics(tmp_path / "m")
    assert [p.value for p in metrics.read("job-a")] == [0.5, 0.1, 0.25]
    assert metrics.read("job-a", "loss") == [point("job-a", "loss", 0.5, 1), point("job-a", "loss", 0.25, 2)]
    assert metrics.read("absent") == []


def test_only_what_is_new_is_read_again_and_a_torn_row_waits(tmp_path: Path) -> None:
    metrics = FileMetrics(tmp_path)
    metrics.append([point("arn:aws:x/1", "loss", 1.0)])
    first, offset = metrics.since("arn:aws:x/1", 0)
    assert len(first) == 1 and metrics.sizes() == {"arn:aws:x/1": offset}
    (file,) = tmp_path.iterdir()
    with file.open("ab") as torn:
        torn.write(b'["loss", 2.0')
    assert metrics.since("arn:aws:x/1", offset) == ([], offset)
    with file.open("ab") as torn:
        torn.write(b", 1.0, null]\n")
    assert [p.value for p in metrics.since("arn:aws:x/1", offset)[0]] == [2.0]


def test_numbers_that_json_has_no_word_for_survive(tmp_path: Path) -> None:
    FileMetrics(tmp_path).append([point("j", "loss", float("inf"))])
    assert FileMetrics(tmp_path).read("j")[0].value == float("inf")


def test_each_account_and_region_has_its_own(tmp_path: Path) -> None:
    metrics = FileMetrics(tmp_path)
    here, there = Scope("1", "us-east-1"), Scope("1", "eu-west-1")
    metrics.of(here).append([point("j", "loss", 1.0)])
    metrics.of(there).append([point("j", "loss", 2.0)])
    assert [p.value for p in metrics.of(here).read("j")] == [1.0]
    assert list(metrics.of(there).sizes()) == ["j"]
    assert metrics.of(Scope("2", "us-east-1")).read("j") == [] == metrics.read("j")
