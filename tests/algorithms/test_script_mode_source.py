"""Where the code of a script comes from: S3, channels, folders, archives of every kind and of bad intent."""

import tarfile
from pathlib import Path

import pytest

from algorithms.script_mode import s3
from tests.algorithms.script import TELL, Script, archive, bucket

KEY = "/code/job 1/ä+source/sourcedir.tar.gz"
PATH = "/code/job%201/%C3%A4%2Bsource/sourcedir.tar.gz"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
    "AWS_REGION": "eu-west-1",
}  # fmt: skip


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_code_is_fetched_from_s3_with_the_jobs_own_credentials(script):
    # Given an archive in S3
    with bucket() as s3_here:
        s3_here.objects[PATH] = archive({"train.py": TELL, "lib/__init__.py": "", "lib/more.py": "X = 1"})
        # When a job names it
        uri = f"s3:/{KEY}"
        ended = script.run({"sagemaker_submit_directory": uri}, AWS_ENDPOINT_URL=s3_here.url, **CREDENTIALS)
        [(_, path, headers)] = s3_here.asked
    # Then it runs, and the request was signed
    assert ended.code == 0, ended.output
    assert (script.base / "code/lib/more.py").read_text() == "X = 1"
    assert path == PATH
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert headers["X-Amz-Security-Token"] == "token"
    assert script.told["environment"]["SM_MODULE_DIR"] == uri


@pytest.mark.parametrize("token", ["", "token"])
def test_signatures_are_those_of_botocore(monkeypatch, token):
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    for name, value in {**CREDENTIALS, "AWS_SESSION_TOKEN": token}.items():
        monkeypatch.setenv(name, value)
    request = AWSRequest(method="GET", url=f"http://127.0.0.1:4577{PATH}")
    S3SigV4Auth(Credentials("AKIDEXAMPLE", "secret", token or None), "s3", "eu-west-1").add_auth(request)
    ours = s3.sign("GET", ("127.0.0.1:4577", PATH), s3.EMPTY, request.headers["X-Amz-Date"])
    assert ours["Authorization"] == request.headers["Authorization"]


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [("", "HTTP 404. NoSuchKey: No."), ("http://127.0.0.1:1", "cannot be read: [Errno")],
)
def test_code_that_s3_does_not_give_is_named(script, endpoint, told):
    with bucket() as s3_here:
        ended = script.run(
            {"sagemaker_submit_directory": "s3://code/none.tar.gz"}, AWS_ENDPOINT_URL=endpoint or s3_here.url
        )
    assert ended.code == 1
    assert ended.failure.startswith("ClientError: s3://code/none.tar.gz cannot be read: ")
    assert told in ended.failure


@pytest.mark.parametrize("named", ["/opt/ml/input/data/code/sourcedir.tar.gz", None])
def test_code_in_a_channel_needs_no_network(script, named):
    # Given what the SDK sends under network isolation; or only the channel
    script.prepare(
        {"sagemaker_program": "train.py"} | ({"sagemaker_submit_directory": named} if named else {}), code=""
    )
    script.put("code/sourcedir.tar.gz", archive({"./train.py": TELL}))
    ended = script.train(TMPDIR=str(script.temporary))
    assert ended.code == 0, ended.output


def test_a_channel_of_plain_files_is_code_too(script):
    script.prepare({"sagemaker_program": "train.py"}, code="")
    script.put("code/train.py", TELL)
    assert script.train(TMPDIR=str(script.temporary)).code == 0


def test_code_that_is_in_its_place_is_left_as_it_is(script):
    script.write("raise SystemExit(9)")
    (script.base / "code").mkdir()
    (script.base / "code/train.py").write_text(TELL)
    ended = script.run()
    assert ended.code == 0
    assert "is not empty: its code is taken as it is" in ended.output


@pytest.mark.parametrize(
    "content", [b"", b"no archive", archive({"train.py": TELL * 400})[:-300], b"\x1f\x8b\x08\x00 broken"]
)
def test_a_corrupt_archive_is_named_with_the_remedy(script, content):
    path = script.code / "sourcedir.tar.gz"
    path.write_bytes(content)
    ended = script.run({"sagemaker_submit_directory": str(path)})
    assert ended.code == 1
    assert ended.failure.startswith(f"ClientError: {path} is no whole tar.gz archive")
    assert "tar czf" in ended.failure


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_an_archive_writes_nowhere_but_into_the_code_folder(script, tmp_path):
    # Given an archive with every way out that tar knows
    pipe = tarfile.TarInfo("pipe")
    pipe.type = tarfile.FIFOTYPE
    packed = archive({
        "train.py": TELL, "../evil1": "x", f"{tmp_path}/evil2": "x", "a/../../evil3": "x",
        "l1": link("l1", str(tmp_path)), "l1/evil4": "x",
        "l2": link("l2", ".."), "l2/evil5": "x",
        "d/e/in": link("d/e/in", "../.."), "out": link("out", "d/e/in/.."), "out/evil6": "x",
        "hard": link("hard", "../../etc/passwd", tarfile.LNKTYPE), "pipe": pipe, "good": link("good", "train.py"),
    })  # fmt: skip
    path = script.code / "sourcedir.tar.gz"
    path.write_bytes(packed)
    # When a job takes it
    ended = script.run({"sagemaker_submit_directory": str(path)})
    # Then it runs, says what it left out, and nothing lies outside
    assert ended.code == 0, ended.output
    outside = [p for p in tmp_path.rglob("evil*") if not p.resolve().is_relative_to(script.base / "code")]
    assert outside == []
    assert (script.base / "code/good").read_text() == TELL
    assert not (script.base / "code/hard").exists() and not (script.base / "code/pipe").exists()
    assert ended.output.count("of the archive is left out") >= 6
    assert "'../evil1' of the archive is left out: it would be written outside the code folder." in ended.output


def test_intermediate_output_is_uploaded(script):
    script.write(
        "import os\nfor n in 'ab':\n    open(os.environ['SM_OUTPUT_INTERMEDIATE_DIR'] + '/' + n, 'w').write(n)\n"
    )
    with bucket() as s3_here:
        ended = script.run(
            {"sagemaker_s3_output": "s3://out/prefix/"}, AWS_ENDPOINT_URL=s3_here.url, TRAINING_JOB_NAME="job-1"
        )
    assert ended.code == 0, ended.output
    assert s3_here.objects == {f"/out/prefix/job-1/output/intermediate/{n}": n.encode() for n in "ab"}
