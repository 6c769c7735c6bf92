"""Bodies of JSON, CSV, NPY and NPZ as arrays."""

from sagelet_payload import arrays

decode = arrays().decode
