"""A house that is closed before it has brought back what a former life left leaves nothing to happen."""

from __future__ import annotations

from pathlib import Path

from emulator.call import Call, Scope
from emulator.clock import ManualClock
from emulator.house import House
from emulator.settings import Settings

HERE = Scope("123456789012", "eu-west-1")


def test_what_a_former_life_left_stays_as_it_is_when_the_house_closes_at_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, executor="stub", settle_seconds=60.0)
    first = House(settings, ManualClock())
    asked = {"NotebookInstanceName": "a", "InstanceType": "ml.t3.medium", "RoleArn": "arn:aws:iam::123456789012:role/r"}
    first.dispatch(Call("sagemaker", "CreateNotebookInstance", asked, HERE))
    first.close()
    clock = ManualClock()
    second = House(settings, clock)
    second.start()
    second.close()
    clock.advance(3600)
    third = House(settings, clock)
    found = third.dispatch(Call("sagemaker", "DescribeNotebookInstance", {"NotebookInstanceName": "a"}, HERE))
    assert found["NotebookInstanceStatus"] == "Pending"
    third.start()
    clock.advance(0)
    clock.advance(3600)
    found = third.dispatch(Call("sagemaker", "DescribeNotebookInstance", {"NotebookInstanceName": "a"}, HERE))
    assert found["NotebookInstanceStatus"] == "InService"
    third.close()
