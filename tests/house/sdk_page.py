"""docs/sdk.md: what unchanged programs of the SageMaker Python SDKs do here, from the table that the journeys run."""

from __future__ import annotations

from tests.journeys.sdk_flows import FLOWS, VERSIONS, Flow

HEAD = """# The SageMaker Python SDKs

Generated from `tests/journeys/sdk_flows.py` (`make docs`): the flows that `tests/journeys/test_sdk_journey.py` runs as
unchanged programs in an [activated](activation.md) environment, with no connection to anything but this machine. A flow
passes, or it ends in an error that says what is not done here.

`@remote` runs in the Python that it was called from: the job sees that environment's packages, the SDK among them, and
nothing is installed but what `dependencies` names. So it works offline, with any version of Python and any image URI of
a framework (or `sagemaker-base-python`). A program that is not activated needs a server with
`SAGELET_REMOTE_PYTHON=/path/to/python`. The environment may not lie below `/tmp` or `/run`, which jobs do not see. In a
container of an image of yours, that image or `dependencies` must bring the SDK. The same holds for a model that
`ModelBuilder` pickles (an `InferenceSpec` or a model object under TorchServe's images): it is served in the Python that
packed it. With the default `dependencies={"auto": True}` SDK 3 looks through all installed files first, which takes it
minutes.

What is the SDK's own matter: version 3.27 cannot read the stream of `Endpoint.invoke_with_response_stream`
(`'EventStream' object has no attribute 'get'`), and raises an `AttributeError` in place of the reason of a failed
processing job when it waits without logs. `ModelBuilder` asks huggingface.co for a model id that is none of
JumpStart's.

Your own run: `.ci/sdk prepare`, then `.venv/bin/python -m pytest tests/journeys/test_sdk_journey.py`.
"""


def page() -> str:
    """The whole document."""
    return "\n".join([HEAD, *(_table(sdk) for sdk in FLOWS)])


def _table(sdk: str) -> str:
    flows = FLOWS[sdk]
    refused = sum(bool(flow.refused) for flow in flows)
    lines = [
        f"## SDK {VERSIONS[sdk]}",
        "",
        f"{len(flows)} flows: {len(flows) - refused} pass, {refused} are refused.",
        "",
    ]
    lines += ["| flow | what is used | result |", "|---|---|---|"]
    lines += [f"| {flow.name.replace('_', ' ')} | {flow.what} | {_result(flow)} |" for flow in flows]
    return "\n".join(lines) + "\n"


def _result(flow: Flow) -> str:
    if flow.refused:
        return f"**refused**: {flow.why}"
    if flow.needs == "engine":
        return "passes in containers"
    return f"passes (needs {flow.needs})" if flow.needs else "passes"
