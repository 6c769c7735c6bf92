"""A page that was answered before is answered again only while nothing was written."""

from emulator.call import Call, Scope
from emulator.clock import ManualClock
from emulator.kinds import KINDS
from emulator.resources import Resources
from emulator.store import open_store

HERE = Scope("123456789012", "us-east-1")


def test_a_page_is_remembered_until_something_is_written(monkeypatch):
    store = open_store()
    resources = Resources(store, KINDS, ManualClock())

    def create(name):
        params = {"ModelPackageGroupName": name}
        resources.create("ModelPackageGroup", Call("sagemaker", "CreateModelPackageGroup", params, HERE))

    def names(**params):
        call = Call("sagemaker", "ListModelPackageGroups", params, HERE)
        page = resources.list("ModelPackageGroup", call)
        return [group["ModelPackageGroupName"] for group in page["ModelPackageGroupSummaryList"]]

    create("a")
    assert names() == ["a"]
    reads = []
    whole = type(store).read
    monkeypatch.setattr(type(store), "read", lambda self: (reads.append(1), whole(self))[1])
    assert names() == ["a"] and not reads
    assert names(NameContains="z") == [] and len(reads) == 1
    create("b")
    assert sorted(names()) == ["a", "b"]
    resources.remove("ModelPackageGroup", HERE, "a")
    assert names() == ["b"]
    store.close()
