"""Images by every name they have, pulled only when that is allowed, and the sentences when they cannot run."""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest
from docker import DockerClient
from docker.errors import NotFound

from emulator.executors.docker_engine import Engine
from emulator.executors.docker_images import failure, split_name
from emulator.ports import Exit, ExitReason
from tests.executors.docker_bench import BASES, Bench, Images, find_nothing, lines, until
from tests.executors.registry import Registry, digest, layer

pytestmark = pytest.mark.docker
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture
def client() -> Iterator[DockerClient]:
    engine = Engine(find_nothing)
    yield engine.client()
    engine.forget()


@contextmanager
def tagged(client: DockerClient, image: str, *names: str) -> Iterator[None]:
    for name in names:
        client.images.get(image).tag(name)
    try:
        yield
    finally:
        for name in names:
            client.images.remove(name, force=True)


# --- names ------------------------------------------------------------------------------------------------------


def test_an_ecr_uri_runs_as_the_engine_holds_it(bench: Bench, images: Images, client: DockerClient) -> None:
    with tagged(client, images.own, f"{ECR}/team/model:1"):
        spec = bench.spec(f"{ECR}/team/model:1")
        assert bench.executor.has_image(spec.image) and bench.run(spec).code == 0
        assert lines(spec) == ["asked to train"]


def test_a_local_image_of_the_same_name_stands_in_for_an_ecr_uri_and_that_is_said(
    bench: Bench, images: Images, client: DockerClient
) -> None:
    with tagged(client, images.own, "sagelet-test-team/model:1"):
        spec = bench.spec(f"{ECR}/sagelet-test-team/model:1")
        assert bench.executor.has_image(spec.image) and bench.run(spec).code == 0
        assert lines(spec) == [
            f"The local image sagelet-test-team/model:1 is taken for {spec.image}.",
            "asked to train",
        ]
        assert not bench.executor.has_image(f"{ECR}/sagelet-test-team/model:2")
        assert not bench.executor.has_image("registry.example.com/sagelet-test-team/model:1")


def test_an_image_by_digest(bench: Bench, images: Images, client: DockerClient) -> None:
    with tagged(client, images.own, "sagelet-test-team/model:1"):
        digest = str(client.images.get(images.own).id)
        spec = bench.spec(f"sagelet-test-team/model@{digest}")
        assert bench.run(spec).code == 0
        assert not bench.executor.has_image(f"sagelet-test-team/other@{digest}")


def test_what_the_engine_holds_under_a_repository_s_name(bench: Bench, images: Images, client: DockerClient) -> None:
    names = ("sagelet-test-team/model:1", "sagelet-test-team/model:latest", f"{ECR}/sagelet-test-team/model:2")
    with tagged(client, images.own, *names):
        [found] = bench.executor.images("sagelet-test-team/model")
        image = client.images.get(images.own)
        assert sorted(found.tags) == ["1", "2", "latest"]
        assert found.digest == image.id and found.size_bytes == image.attrs["Size"]
        assert abs(found.pushed_at - time.time()) < 3600 * 24
        assert bench.executor.images("model") == bench.executor.images("sagelet-test-team") == []


@pytest.mark.parametrize(
    "name, expected",
    [
        ("a", ("a", "latest")),
        ("h:5000/a/b", ("h:5000/a/b", "latest")),
        ("h:5000/a/b:1", ("h:5000/a/b", "1")),
        ("a/b:1@sha256:0f", ("a/b", "sha256:0f")),
    ],
)
def test_a_name_is_taken_apart_as_docker_does(name: str, expected: tuple[str, str]) -> None:
    assert split_name(name) == expected


# --- pulls ------------------------------------------------------------------------------------------------------


@pytest.fixture
def registry(client: DockerClient, images: Images) -> Iterator[Registry]:
    salt = os.urandom(8)
    script = b'#!/bin/sh\necho "asked to $*"\n'
    with Registry([layer("salt", salt), layer("train", script)], slow=2.5) as made:
        yield made
        with suppress(NotFound):
            client.images.remove(made.image, force=True)


@pytest.fixture
def puller(tmp_path: Path, images: Images) -> Iterator[Bench]:
    made = Bench(tmp_path, pull="missing")
    yield made
    made.end()


def test_nothing_is_pulled_unless_the_user_says_so(bench: Bench, registry: Registry) -> None:
    over = bench.run(bench.spec(registry.image))
    assert over.reason is ExitReason.NOT_STARTED and "docker pull" in over.detail and "--pull missing" in over.detail
    assert registry.asked == []


def test_a_missing_image_is_pulled_with_progress(puller: Bench, registry: Registry) -> None:
    spec = puller.spec(registry.image)
    began = time.monotonic()
    puller.executor.start(spec)
    assert time.monotonic() - began < 2.4, "start must not wait for the registry"
    assert puller.executor.address(spec.run_id) is None
    over = puller.executor.wait(spec.run_id, 60)
    # The image has no shell: it was pulled, and could not be run for that reason alone.
    assert over is not None and over.reason is ExitReason.NOT_STARTED and "train" in over.detail
    told = lines(spec)
    assert told[0] == f"Sagelet pulls the image {registry.image}."
    assert f"Sagelet has pulled the image {registry.image}." in told
    assert any(line.startswith("Pulling: ") and line.endswith("of 2 layers are here.") for line in told)
    stamps = [int(line.split(" ")[0]) for line in spec.log.read_text().splitlines() if " Pulling: " in line]
    assert all(later - sooner >= 950 for sooner, later in pairwise(stamps))


def test_a_run_can_be_stopped_while_its_image_is_on_its_way(puller: Bench, registry: Registry) -> None:
    spec = puller.spec(registry.image)
    puller.executor.start(spec)
    until(lambda: bool(registry.asked))
    puller.executor.stop(spec.run_id, 30)
    assert puller.executor.wait(spec.run_id, 1) == Exit(ExitReason.STOPPED)
    until(lambda: puller.executor.has_image(registry.image))
    until(lambda: not any(name.startswith("docker-pull") for name in thread_names()))
    assert puller.containers() == []


def test_a_run_that_is_released_while_its_image_is_on_its_way_never_starts(puller: Bench, registry: Registry) -> None:
    spec = puller.spec(registry.image)
    puller.executor.start(spec)
    until(lambda: bool(registry.asked))
    puller.executor.release(spec.run_id)
    until(lambda: puller.executor.has_image(registry.image))
    until(lambda: not any(name.startswith("docker-pull") for name in thread_names()))
    assert puller.containers() == []


def thread_names() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_always_means_before_every_run(
    tmp_path: Path, images: Images, registry: Registry, client: DockerClient
) -> None:
    registry.slow = 0
    client.images.pull(*registry.image.rsplit(":", 1))
    before = client.images.get(registry.image).id
    registry.fill([layer("salt", os.urandom(8))])
    bench = Bench(tmp_path, pull="always")
    spec = bench.spec(registry.image)
    bench.run(spec)
    assert client.images.get(registry.image).id != before
    ours = bench.spec(images.own)
    assert bench.run(ours).code == 0 and lines(ours) == ["asked to train"]
    bench.end()
    client.images.remove(before, force=True)


def test_a_registry_that_has_no_such_image_is_said(puller: Bench, registry: Registry) -> None:
    over = puller.run(puller.spec(registry.image.replace(":1", ":1").rpartition(":")[0] + ":other"))
    assert over.reason is ExitReason.NOT_STARTED
    assert "cannot be pulled. The registry has no such image" in over.detail


def test_offline_is_said(puller: Bench) -> None:
    over = puller.run(puller.spec("127.0.0.1:1/team/model:1"))
    assert over.reason is ExitReason.NOT_STARTED and "cannot be reached" in over.detail


@pytest.mark.parametrize(
    "words, sentence",
    [
        ("pull access denied for x, repository does not exist or may require 'docker login'", "docker login"),
        ("no basic auth credentials", "docker login"),
        ("manifest for x:1 not found: manifest unknown", "check its name and tag"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "other processors"),
        ("dial tcp: lookup registry-1.docker.io: no such host", "docker load"),
        ("write /var/lib/docker/tmp: no space left on device", "prune"),
    ],
)
def test_refusals_have_remedies(words: str, sentence: str) -> None:
    assert sentence in failure("x:1", words)


# --- images that cannot run -------------------------------------------------------------------------------------


def test_an_image_without_the_train_command_is_said(bench: Bench, client: DockerClient) -> None:
    base = next(name for name in BASES if bench.executor.has_image(name))
    over = bench.run(bench.spec(base))
    assert over.reason is ExitReason.NOT_STARTED
    assert "no program train" in over.detail and "entry point" in over.detail


def saved(name: str, content: bytes, machine: str) -> bytes:
    """One image as `docker save` writes it."""
    config = {"architecture": machine, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(content)]}}
    files = {
        "layer.tar": content,
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode(),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def test_an_image_of_another_processor_is_said(bench: Bench, client: DockerClient) -> None:
    elf = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(100)  # the head of an AArch64 program
    other = "amd64" if Engine(find_nothing).machine() == "arm64" else "arm64"
    client.images.load(saved("sagelet-test/other:1", layer("bin/train", elf), other))
    try:
        spec = bench.spec("sagelet-test/other:1", entrypoint=("/bin/train",))
        over = bench.run(spec)
        assert over.reason is ExitReason.NOT_STARTED and "for another processor" in over.detail
        assert f"is for {other}" in lines(spec)[0]
    finally:
        bench.executor.release(spec.run_id)
        client.images.remove("sagelet-test/other:1", force=True)


# --- commands ---------------------------------------------------------------------------------------------------


def test_run_without_words_is_the_image_s_own_command(bench: Bench, images: Images) -> None:
    spec = bench.spec(images.own, verb="run")
    assert bench.run(spec).code == 0 and lines(spec) == ["asked to "]
    spec = bench.spec(images.own, verb="run", arguments=("--rows", "5"))
    assert bench.run(spec).code == 0 and lines(spec) == ["asked to --rows 5"]
