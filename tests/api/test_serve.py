"""The server as a process: ready when it says so, its port taken or free, its end in good order."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from api import serve
from tests.api.conftest import CardboardHouse
import threading

class House(CardboardHouse):
    def close(self):
        super().close()
        print("closed", flush=True)

def open_house(settings):
    if settings.executor == "docker":
        raise serve.StartRefused("the folder is taken")
    if settings.executor == "stub":
        raise RuntimeError("a bug")
    house = House(settings.data_dir, ready_file=settings.ready_file)
    gone = threading.Event()
    house.answers["InvokeEndpoint"] = lambda call: {{"Body": str(gone.wait(60)).encode()}}
    return house

serve.open_house = open_house
serve.STOP_SECONDS = {stop_seconds}
sys.exit(serve.main(sys.argv[1:]))
"""


@pytest.fixture
def start(tmp_path):
    started = []

    def run(stop_seconds=25.0, **settings):
        given = {"port": 0, "data_dir": str(tmp_path), "ready_file": str(tmp_path / "ready"), **settings}
        program = PROGRAM.format(root=str(ROOT), stop_seconds=stop_seconds)
        command = [sys.executable, "-c", program, json.dumps(given)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_it_says_where_it_is_and_ends_at_a_signal(start, tmp_path):
    process = start()
    line = process.stdout.readline()
    assert line.startswith("Sagelet is ready at http://127.0.0.1:")
    url = line.rsplit(" ", 1)[1].strip()
    deadline = time.monotonic() + 5
    while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert (tmp_path / "ready").read_text() == url == (tmp_path / "address").read_text()
    with urllib.request.urlopen(url + "/_sagelet/health", timeout=10) as answer:
        assert json.load(answer) == {"status": "ok"}
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (0, "closed\n"), errors
    assert not (tmp_path / "address").exists()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=2)


def test_an_invocation_that_never_returns_does_not_keep_the_process(start):
    process = start(stop_seconds=2.0)
    url = process.stdout.readline().rsplit(" ", 1)[1].strip()
    request = urllib.request.Request(url + "/endpoints/e/invocations", data=b"", method="POST")
    request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=AK/20240501/us-east-1/sagemaker/aws4_request, X=1")
    failures = []

    def invoke():
        try:
            urllib.request.urlopen(request, timeout=30)
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=invoke)
    thread.start()
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0
    thread.join(15)
    assert failures


def test_a_taken_port_is_named(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(port=port)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"127.0.0.1:{port}" in errors and "--port" in errors and "Traceback" not in errors


@pytest.mark.parametrize(("executor", "words"), [("docker", "sagelet: the folder is taken\n"), ("stub", "a bug")])
def test_without_a_house_the_process_ends(start, executor, words):
    process = start(executor=executor)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1 and words in errors


def test_a_bad_setting_is_named(start):
    process = start(executor="magic")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2 and "--executor cannot be 'magic'" in errors


def test_the_entry_point_keeps_the_working_directory_off_the_path(tmp_path):
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "__init__.py").write_text("raise SystemExit('the wrong api')")
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    command = [sys.executable, "-I", str(ROOT / "api" / "__main__.py"), '{"port": "x"}']
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2 and "--port cannot be 'x'" in done.stderr
