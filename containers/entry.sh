#!/bin/sh
# Become the algorithm, so that SIGTERM reaches it: `train` or `serve` of the one that SAGELET_ALGORITHM names.
# Anything else is a command, as a processing job gives one.
case "${1:-}" in
train | serve)
    if [ -z "${SAGELET_ALGORITHM:-}" ]; then
        echo "This image holds several algorithms: say which one with -e SAGELET_ALGORITHM=<its folder's name>." >&2
        exit 2
    fi
    exec python3 -m algorithms.run "$SAGELET_ALGORITHM" "$@"
    ;;
"")
    exec python3
    ;;
*)
    exec "$@"
    ;;
esac
