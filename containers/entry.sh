#!/bin/sh
# Become the algorithm, so that SIGTERM reaches it: `train` or `serve` is the first argument.
exec python3 -m algorithms.run "$SAGELET_ALGORITHM" "$@"
