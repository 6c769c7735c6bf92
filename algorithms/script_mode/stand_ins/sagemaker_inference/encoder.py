"""Arrays as bodies of JSON, CSV and NPY."""

from sagelet_payload import arrays

_arrays = arrays()
encode = _arrays.encode
SUPPORTED_CONTENT_TYPES = set(_arrays.WRITERS)
