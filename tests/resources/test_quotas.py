"""How many records of a kind an account may have in a region, and in which words the next one is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.call import Call, Scope
from emulator.clock import ManualClock
from emulator.errors import LimitExceeded
from emulator.house import House
from emulator.kinds import KINDS, Kind
from emulator.kinds.kind import Move
from emulator.resources import Hooks, Resources
from emulator.resources.quotas import QUOTAS, Quota
from emulator.store import open_store
from tests.resources.conftest import SCOPE

HUBS = {"Hub": Quota("Total hubs", 2, "Hubs")}


@pytest.fixture
def resources() -> Iterator[Resources]:
    store = open_store()
    yield Resources(store, (Kind("Hub"),), ManualClock(), Hooks(quotas=HUBS))
    store.close()


def create(resources: Resources, name: str, scope: Scope = SCOPE) -> None:
    resources.create("Hub", Call("sagemaker", "CreateHub", {"HubName": name}, scope))


def test_one_too_many_is_refused_in_the_words_of_the_service(resources: Resources) -> None:
    create(resources, "a")
    create(resources, "b")
    with pytest.raises(LimitExceeded) as full:
        create(resources, "c")
    assert full.value.code == "ResourceLimitExceeded"
    assert full.value.message.startswith(
        "The account-level service limit 'Total hubs' is 2 Hubs, with current utilization of 2 Hubs and a request "
        "delta of 1 Hubs. Please use AWS Service Quotas to request an increase for this quota."
    )
    assert resources.find("Hub", SCOPE, "c") is None
    resources.remove("Hub", SCOPE, "a")
    create(resources, "c")


def test_every_account_has_its_quota_in_every_region(resources: Resources) -> None:
    for scope in (SCOPE, Scope(SCOPE.account, "us-west-2"), Scope("210987654321", SCOPE.region)):
        create(resources, "a", scope)
        create(resources, "b", scope)


def test_a_name_that_is_taken_is_said_to_be_taken(resources: Resources) -> None:
    create(resources, "a")
    create(resources, "b")
    with pytest.raises(Exception, match="already exists"):
        create(resources, "a")


def test_who_all_come_at_once_do_not_exceed_it(resources: Resources) -> None:
    refused: list[str] = []

    def come(name: str) -> None:
        try:
            create(resources, name)
        except LimitExceeded:
            refused.append(name)

    threads = [threading.Thread(target=come, args=(f"h{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 10


def test_what_gives_way_to_its_successor_does_not_count() -> None:
    kind = Kind(
        "App",
        key=("DomainId", "AppName"),
        moves={"Create": Move("", "InService", ("Deleted",)), "Delete": Move("", "Deleted", ("InService",))},
    )
    store = open_store()
    resources = Resources(store, (kind,), ManualClock(), Hooks(quotas={"App": Quota("Apps", 1, "Apps")}))

    def call(**params: Any) -> Call:
        return Call("sagemaker", "CreateApp", {"DomainId": "d", **params}, SCOPE)

    resources.create("App", call(AppName="a"))
    with pytest.raises(LimitExceeded):
        resources.create("App", call(AppName="b"))
    resources.delete("App", call(AppName="a"))
    resources.create("App", call(AppName="b"))
    store.close()


def test_quotas_are_kept_only_where_they_were_asked_for() -> None:
    domain = Call("sagemaker", "CreateDomain", {"DomainName": "d", "AuthMode": "IAM", "DefaultUserSettings": {}}, SCOPE)
    free, strict = House.for_tests(), House.for_tests(quotas=True)
    for house in (free, strict):
        house.dispatch(domain)
    free.dispatch(domain)
    with pytest.raises(LimitExceeded, match="'Total domains' is 1 Domains, with current utilization of 1 Domains"):
        strict.dispatch(domain)
    free.close()
    strict.close()


def test_the_table_is_about_kinds() -> None:
    assert set(QUOTAS) <= {kind.noun for kind in KINDS}
    assert all(quota.limit > 0 and quota.name and quota.unit for quota in QUOTAS.values())
