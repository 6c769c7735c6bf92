"""The context that the model servers of the newer images give to the user's functions: one request and its answer."""

from __future__ import annotations

import uuid
from typing import Any

from algorithms.common.serving import Invocation
from algorithms.script_mode.service import ATTRIBUTES

SPELLED = {
    name.lower(): name for name in (ATTRIBUTES, "X-Amzn-SageMaker-Inference-Id", "X-Amzn-SageMaker-Target-Variant")
}


class Headers(dict[str, str]):
    """A mapping that does not mind how a header's name is spelled."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(self._known(name))

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(self._known(name), default)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(self._known(str(name)))

    def _known(self, name: str) -> str:
        return next((known for known in self if known.lower() == name.lower()), name)


class RequestProcessor:
    """What `context.request_processor[0]` answers."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def get_request_properties(self) -> Headers:
        """All headers of the request."""
        return self._context.asked

    def get_request_property(self, key: str) -> str | None:
        """One header of the request."""
        return self._context.get_request_header(0, key)

    def add_response_property(self, key: str, value: str) -> None:
        """A header of the answer."""
        self._context.set_response_header(0, key, value)

    def report_status(self, code: int, reason_phrase: str | None = None) -> None:
        """The answer's status."""
        self._context.set_response_status(code, reason_phrase)


class Context:
    """One request of a batch of one."""

    def __init__(self, folder: str, invocation: Invocation | None = None) -> None:
        given = invocation.headers if invocation else {}
        self.asked = Headers({SPELLED.get(name.lower(), name): value for name, value in given.items()})
        self.answered: dict[str, str] = {}
        self.status = 0
        self.content_type = ""
        self.model_name = "model"
        self.manifest: dict[str, Any] = {}
        self.system_properties = {"model_dir": folder, "gpu_id": None, "batch_size": 1, "server_name": "sagelet"}
        self.request_ids = {0: str(uuid.uuid4())}
        self.request_processor = [RequestProcessor(self)]

    def get_request_id(self, idx: int = 0) -> str:
        """An identifier of the request."""
        return self.request_ids[0]

    def get_request_header(self, idx: int, key: str) -> str | None:
        """One header of the request."""
        found: str | None = self.asked.get(key)
        return found

    def get_all_request_header(self, idx: int) -> Headers:
        """All headers of the request."""
        return self.asked

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        """A header of the answer; SageMaker passes the custom attributes on."""
        self.answered[SPELLED.get(key.lower(), key)] = value

    def set_response_content_type(self, idx: int, value: str) -> None:
        """The answer's media type."""
        self.content_type = value

    def get_response_content_type(self, idx: int) -> str:
        """The answer's media type as set so far."""
        return self.content_type

    def set_response_status(self, code: int = 200, phrase: str | None = "", idx: int = 0) -> None:
        """The answer's status."""
        self.status = code

    def set_all_response_status(self, code: int = 200, phrase: str = "") -> None:
        """The same for all of the batch."""
        self.status = code
