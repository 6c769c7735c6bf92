"""The endpoint's life, walked exhaustively: no dead end, one fleet takes traffic, every fleet is stopped once."""

from dataclasses import replace

import pytest

from emulator.errors import HouseFault
from emulator.hosts import lifecycle as life

START = life.Endpoint(life.Phase.CREATING, "config-a")


def possible(endpoint: life.Endpoint, fleets: frozenset[int], asked: bool) -> list[life.Event]:
    """The events that the world can produce for an endpoint whose `fleets` were started and not stopped."""
    events: list[life.Event] = []
    if endpoint.phase is life.Phase.CREATING and not endpoint.pending:
        return [life.CreateAsked(), life.Restarted()]
    if endpoint.pending in fleets:
        events += [life.FleetUp(endpoint.pending), life.FleetFailed(endpoint.pending, "boom")]
    if endpoint.phase is life.Phase.SCALING:
        events += [life.Scaled(), life.Scaled("no room")]
    if endpoint.phase is life.Phase.DELETING:
        events.append(life.FleetGone())
    wishes = (life.UpdateAsked("config-b"), life.ScaleAsked(), life.DeleteAsked())
    events += [wish for wish in wishes if life.allowed(endpoint, type(wish))]
    return [*events, life.Restarted()]


def walk() -> dict[tuple[life.Endpoint, frozenset[int]], list[tuple[life.Event, life.Endpoint, frozenset[int]]]]:
    """Every (endpoint, fleets) that can be reached, with what follows. Updates are bounded to three generations."""
    edges: dict = {}
    todo = [(START, frozenset[int]())]
    while todo:
        node = todo.pop()
        if node in edges:
            continue
        endpoint, fleets = node
        edges[node] = []
        if endpoint.phase in life.TERMINAL:
            continue
        for event in possible(endpoint, fleets, True):
            if isinstance(event, life.UpdateAsked) and endpoint.last >= 3:
                continue
            after, effects = life.step(endpoint, event)
            running = apply(frozenset[int]() if isinstance(event, life.Restarted) else fleets, effects)
            edges[node].append((event, after, running))
            todo.append((after, running))
    return edges


def apply(fleets: frozenset[int], effects: tuple[life.Effect, ...]) -> frozenset[int]:
    for effect in effects:
        match effect:
            case life.StartFleet(generation, config):
                assert generation > 0 and config, "a fleet needs a number and a configuration"
                assert generation not in fleets, "a fleet is started once"
                fleets |= {generation}
            case life.StopFleet(generation):
                assert generation in fleets, "only what runs is stopped"
                fleets -= {generation}
            case life.RouteTo(generation):
                assert generation in fleets, "traffic goes only to servers that run"
            case life.StopAll():
                fleets = frozenset()
    return fleets


EDGES = walk()


def test_the_walk_sees_every_phase():
    assert {endpoint.phase for endpoint, _ in EDGES} == set(life.Phase)


def test_there_is_no_dead_end():
    done = {node for node in EDGES if node[0].phase in life.TERMINAL}
    while True:
        more = {node for node, out in EDGES.items() if any((after, fleets) in done for _, after, fleets in out)} - done
        if not more:
            break
        done |= more
    assert done == set(EDGES)


def test_nothing_runs_for_an_endpoint_that_is_gone_or_failed():
    for (endpoint, fleets), _ in EDGES.items():
        if endpoint.phase in (life.Phase.GONE, life.Phase.FAILED):
            assert not fleets, endpoint


def test_what_is_in_service_has_exactly_its_own_fleet():
    for endpoint, fleets in EDGES:
        if endpoint.phase is life.Phase.IN_SERVICE:
            assert fleets == {endpoint.live}


def test_an_update_keeps_the_old_fleet_until_the_new_one_is_up():
    live = replace(START, phase=life.Phase.IN_SERVICE, live=1, last=1)
    updating, effects = life.step(live, life.UpdateAsked("config-b"))
    assert effects == (life.StartFleet(2, "config-b"),)
    after, effects = life.step(updating, life.FleetUp(2))
    assert effects == (life.RouteTo(2), life.Explain(""), life.StopFleet(1))
    assert (after.phase, after.config, after.live) == (life.Phase.IN_SERVICE, "config-b", 2)


def test_a_failed_update_goes_on_with_the_old_fleet_and_says_why():
    live = replace(START, phase=life.Phase.UPDATING, live=1, pending=2, pending_config="config-b", last=2)
    after, effects = life.step(live, life.FleetFailed(2, "no ping"))
    assert effects == (life.StopFleet(2), life.Explain("no ping"))
    assert (after.phase, after.config, after.live) == (life.Phase.IN_SERVICE, "config-a", 1)


def test_terminal_phases_absorb():
    gone = replace(START, phase=life.Phase.GONE)
    assert life.step(gone, life.FleetUp(1)) == (gone, ())


def test_an_event_that_cannot_be_is_a_fault_that_tells_its_story():
    with pytest.raises(HouseFault) as caught:
        life.step(START, life.Scaled())
    assert "CREATING" in str(caught.value) and caught.value.story


def test_clients_see_words_of_the_api_only():
    assert life.Phase.SCALING.status == "Updating"


@pytest.mark.parametrize("phase", [life.Phase.IN_SERVICE, life.Phase.UPDATING, life.Phase.SCALING])
def test_no_traffic_is_sent_to_servers_that_a_restart_has_yet_to_find(phase):
    """It met them before they were found, now and then: "the container is being restarted"."""
    pending = {"pending": 2, "pending_config": "config-b"} if phase is life.Phase.UPDATING else {}
    left = replace(START, phase=phase, live=1, last=2, **pending)
    after, effects = life.step(left, life.Restarted())
    assert after == left and effects[0] == life.StartFleet(1, left.config)
    assert not [effect for effect in effects if isinstance(effect, life.RouteTo)]
