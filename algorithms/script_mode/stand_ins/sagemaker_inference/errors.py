"""What a script raises to answer with an error of its own."""

from __future__ import annotations

from sagelet_payload import arrays

UnsupportedFormatError = arrays().UnsupportedFormatError


class BaseInferenceToolkitError(Exception):
    """An error with a status of its own."""

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        self.status_code, self.message, self.phrase = status_code, message, phrase
        super().__init__(status_code, message, phrase)


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """Any such error."""

    def __init__(self, status_code: int, message: str | None = None, phrase: str | None = None) -> None:
        told = message or "Invalid Request"
        super().__init__(status_code, told, phrase or told)
