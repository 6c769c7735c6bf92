"""Arrays to and from JSON, CSV and NPY, as scripts for scikit-learn that also serve use them."""

from sagelet_payload import arrays

_arrays = arrays()
decode, encode = _arrays.decode_older, _arrays.encode_older
