"""What a script raises for a content type that it does not know."""

from sagelet_payload import arrays

UnsupportedFormatError = arrays().UnsupportedFormatError


class ClientError(Exception):
    """A mistake of the user's."""
