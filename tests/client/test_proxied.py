"""What a program is given that asks AWS by its own names, and the server as its proxy; and the way back."""

import json
import os
import ssl
import subprocess
import sys

import pytest

from api.proxy.authority import Authority
from sagelet.environment import BEFORE, HOOK, SERVER, applied, changes, changes_by_proxy, former, remembered
from sagelet.proxied import Proxy, _public, variables
from sagelet.server import Server

URL = "http://127.0.0.1:4577"


@pytest.fixture
def proxy(tmp_path):
    return Proxy(URL, tmp_path / "ca.pem", tmp_path / "bundle.pem")


def test_both_spellings_name_the_proxy_and_no_endpoint_is_left(proxy):
    changed = changes_by_proxy(proxy, before={"AWS_ENDPOINT_URL": "http://moto", "AWS_ENDPOINT_URL_S3": "http://minio"})
    assert {changed[name] for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", SERVER)} == {URL}
    assert changed["AWS_ENDPOINT_URL"] is None and changed["AWS_ENDPOINT_URL_S3"] is None
    assert changed["AWS_CA_BUNDLE"] == str(proxy.alone) and changed["SSL_CERT_FILE"] == str(proxy.bundle)
    assert changed["AWS_ACCESS_KEY_ID"] and changed["PYTHONPATH"] == str(HOOK)


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_what_was_passed_by_stays_so_unless_it_is_aws(proxy, name):
    before = "pypi.example, .amazonaws.com,s3.us-east-1.amazonaws.com,*,.com,*.api.aws,localhost,10.0.0.0/8,aws.example"
    assert variables(proxy, {name: before})[name] == "127.0.0.1,localhost,pypi.example,10.0.0.0/8,aws.example"
    assert variables(proxy, {})["NO_PROXY"] == "127.0.0.1,localhost"


def test_authorities_that_a_company_named_are_still_trusted(proxy, tmp_path):
    company = tmp_path / "company.pem"
    company.write_text("COMPANY")
    assert _public({"REQUESTS_CA_BUNDLE": str(company), "SSL_CERT_FILE": str(proxy.bundle)}, proxy) == ["COMPANY\n"]
    assert _public({"SSL_CERT_FILE": str(tmp_path / "not there")}, proxy) == []


def test_from_one_way_to_the_other_and_back(proxy):
    was = {"HTTPS_PROXY": "http://corp:3128", "NO_PROXY": "corp", "PYTHONPATH": "/mine", "AWS_PROFILE": "dev"}
    state = dict(was)
    for by_proxy in (True, False, True):
        changed = changes_by_proxy(proxy, before=state) if by_proxy else changes(URL, before=state)
        state = applied({**changed, BEFORE: remembered(changed, state)}, state)
        assert ("AWS_ENDPOINT_URL" in state) != (SERVER in state), "one way or the other"
        assert state["HTTPS_PROXY"] == (URL if SERVER in state else "http://corp:3128")
        assert json.loads(state[BEFORE])["AWS_PROFILE"] == "dev"
    assert applied(former(state), state) == was


def run(*words, **more):
    command = [sys.executable, "-m", "sagelet", *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **more}, timeout=60)


def test_a_shell_goes_to_the_proxy_and_finds_its_server(tmp_path):
    """`sagelet status` in that shell asks the same server, which says how long its certificates last."""
    with Server(tmp_path, ["--executor", "stub"]) as server:
        assert "proxy: none" in run("status", "--data-dir", str(tmp_path)).stdout
        told = run("env", "--proxy", "--data-dir", str(tmp_path))
        assert told.returncode == 0, told.stderr
        script = f"{told.stdout}\n{sys.executable} -m sagelet status; {sys.executable} -m sagelet doctor | grep proxy"
        status = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60).stdout
        assert f"at {server.url}" in status and "proxy: 20" in status and "ok   HTTPS proxy: Sagelet's" in status
    folder = tmp_path / "proxy"
    assert (folder / "ca.pem").read_text() == Authority(tmp_path).certificate()
    assert ssl.create_default_context(cafile=folder / "bundle.pem").cert_store_stats()["x509_ca"] >= 1


def test_a_server_with_other_files_than_ours_is_trusted_too(tmp_path, monkeypatch):
    """As one in a container is: its certificate is written where ours lie."""
    from sagelet import places, proxied

    certificate = Authority(tmp_path).certificate()
    answer = {"certificate": certificate, "folder": "/not/on/this/machine"}
    monkeypatch.setattr(places, "ask", lambda *asked: answer)
    monkeypatch.setenv("SAGELET_DATA_DIR", str(tmp_path / "own"))
    found = proxied.proxy(URL, {})
    assert found.alone.read_text() == certificate and found.alone.is_relative_to(tmp_path / "own")
    assert found.bundle.read_text().startswith(certificate)
