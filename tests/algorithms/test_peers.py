"""The hosts of a job tell each other what they have, and notice who is gone: threads and sockets of one process."""

import contextlib
import itertools
import os
import socket
import threading

import pytest

from algorithms.common import peers
from algorithms.common.peers import PORT, PeerFailed, Peers

blocks = itertools.count(1)


def names(number):
    block = next(blocks)
    return [f"127.{31 + os.getpid() % 200}.{100 + block}.{n}" for n in range(1, number + 1)]


@contextlib.contextmanager
def joined(hosts):
    """A Peers and the failures that it heard of, for each host."""
    failures = [[] for _ in hosts]
    made = [None] * len(hosts)

    def join(number):
        made[number] = Peers(hosts, hosts[number], lambda *failure: failures[number].append(failure))

    threads = [threading.Thread(target=join, args=[number]) for number in range(len(hosts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    try:
        yield made, failures
    finally:
        for one in made:
            one.leave()
        for ear in [ear for one in made for ear in one._ears]:
            ear.join(20)


def at_once(*calls):
    """Each call in a thread of its own; what they return, or PeerFailed."""
    results = [None] * len(calls)

    def run(number):
        try:
            results[number] = calls[number]()
        except PeerFailed:
            results[number] = PeerFailed

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


def test_all_hear_what_each_has_told_and_what_the_first_made_of_it():
    with joined(names(3)) as (made, failures):
        calls = [lambda one=one, n=n: one.call_roll({"rows": n}, len) for n, one in enumerate(made)]
        assert at_once(*calls) == [([{"rows": 0}, {"rows": 1}, {"rows": 2}], 3)] * 3
        made[1].leave()
        made[2].leave()
        made[0].wait_for_all()
    assert failures == [[], [], []]


def test_the_reason_of_one_is_told_to_all_others_once():
    hosts = names(3)
    with joined(hosts) as (made, failures):
        made[2].fail("ClientError", "a bad row")
        results = at_once(*(lambda one=one: one.call_roll({}, len) for one in made[:2]))
        assert results == [PeerFailed, PeerFailed]
        assert made[1].has_failed(0)
    said = ("ClientError", f"Host {hosts[2]}: a bad row", True)
    assert failures == [[said], [said], []]


@pytest.mark.parametrize("victim", [0, 1])
def test_a_line_that_ends_without_a_word_is_a_host_that_died(victim):
    hosts = names(3)
    with joined(hosts) as (made, failures):
        made[victim]._leaving = True  # The dead notice nothing.
        for line in made[victim]._lines.values():
            line.hang_up()
        assert all(one.has_failed(20) for n, one in enumerate(made) if n != victim)
    for number, heard in enumerate(failures):
        if number != victim:
            fault, sentence, said = heard[0]
            assert (fault, said) == ("AlgorithmError", False)
            assert sentence.startswith(f"Host {hosts[victim]} ended before the training was over")


def test_strangers_are_not_taken_for_hosts():
    hosts = names(2)
    failures = []
    made = []
    first = threading.Thread(target=lambda: made.append(Peers(hosts, hosts[0], lambda *f: failures.append(f))))
    first.start()
    for greeting in (b"GET / HTTP/1.1\r\n\r\n", b'{"host": "somebody"}\n', b"[]\n", b""):
        with stranger(hosts[0]) as line:
            line.sendall(greeting)
    second = Peers(hosts, hosts[1], lambda *f: failures.append(f))
    first.join(20)
    assert list(made[0]._lines) == [hosts[1]]
    for one in (second, *made):
        one.leave()
    for ear in second._ears + made[0]._ears:
        ear.join(20)
    assert failures == []


def stranger(host):
    for _ in range(200):
        with contextlib.suppress(OSError):
            return socket.create_connection((host, PORT), timeout=5)
        threading.Event().wait(0.02)
    raise AssertionError("nobody listens")


def test_who_does_not_come_is_named_and_who_cannot_be_reached_too(monkeypatch):
    monkeypatch.setattr(peers, "JOIN_SECONDS", 0.1)
    hosts = names(3)
    with pytest.raises(RuntimeError, match=f"{hosts[1]}, {hosts[2]} did not come within 0.1 seconds"):
        Peers(hosts, hosts[0], print)
    with pytest.raises(RuntimeError, match=f"{hosts[0]} cannot be reached at {hosts[0]}:{PORT}"):
        Peers(hosts, hosts[1], print)
    with pytest.raises(RuntimeError, match=r"The name of host algo-1\.invalid has no address"):
        Peers(["algo-1.invalid", "algo-2"], "algo-2", print)


def test_a_port_that_is_taken_is_named():
    hosts = names(2)
    with (
        socket.create_server((hosts[0], PORT)),
        pytest.raises(RuntimeError, match=f"{hosts[0]} cannot listen at {hosts[0]}:{PORT}"),
    ):
        Peers(hosts, hosts[0], print)
