#!/usr/bin/env bash
# Build our images: one for each algorithm whose manifest names an image, and the server's.
#   [BASE_IMAGE=python:3.11-slim] [CONTAINER_CLI=docker|podman] containers/build.sh [ALGORITHM | server]...
# Python packages are fetched here, with this user's own pip configuration, and installed in the build without any
# network: no certificate, index or credential of this machine gets into an image.
set -euo pipefail
cd "$(dirname "$0")/.."

base="${BASE_IMAGE:-python:3.11-slim}"
python="${PYTHON:-}"
[ -n "$python" ] || { [ -x .venv/bin/python ] && python=.venv/bin/python || python=python3; }
engine="${CONTAINER_CLI:-}"
[ -n "$engine" ] || { command -v docker >/dev/null && engine=docker || engine=podman; }

say() { echo "images: $*"; }

command -v "$engine" >/dev/null || { say "neither docker nor podman is installed"; exit 1; }
"$engine" info >/dev/null 2>&1 || { say "no engine answers to $engine; start it, or set DOCKER_HOST"; exit 1; }
if ! "$engine" image inspect "$base" >/dev/null 2>&1 && ! "$engine" pull --quiet "$base"; then
    say "the base image $base is not here and cannot be pulled;"
    say "containers/base/make.sh makes one without a registry: sudo containers/base/make.sh sagelet/base:bookworm"
    say "then: make images BASE_IMAGE=sagelet/base:bookworm"
    exit 1
fi

# What the wheels must fit: the interpreter, processor and C library of the base image, not of this machine.
read -r version machine glibc <<<"$("$engine" run --rm --network none --entrypoint python3 "$base" -c '
import platform, sys
print(f"{sys.version_info[0]}.{sys.version_info[1]}", platform.machine(), platform.libc_ver()[1].split(".")[1])')"
platforms=(--platform "manylinux2014_$machine")
for ((minor = 17; minor <= glibc; minor++)); do platforms+=(--platform "manylinux_2_${minor}_$machine"); done

fetch() { # NAME REQUIREMENT...: the wheels of NAME into build/wheels/NAME
    local folder="build/wheels/$1"
    shift
    rm -rf "$folder"
    mkdir -p "$folder"
    "$python" -m pip download --quiet --disable-pip-version-check --dest "$folder" --only-binary=:all: \
        --python-version "$version" --implementation cp "${platforms[@]}" "$@"
}

build() { # NAME TAG DOCKERFILE ARGUMENT...
    local name="$1" tag="$2" file="$3" old
    shift 3
    old="$("$engine" image inspect --format '{{.Id}}' "$tag" 2>/dev/null || true)"
    tar -c --exclude=__pycache__ LICENSE README.md pyproject.toml \
        algorithms api containers emulator sagelet >"$context"
    tar -r -f "$context" "build/wheels/$name"
    "$engine" build --quiet --force-rm --file "$file" --tag "$tag" --build-arg BASE_IMAGE="$base" "$@" - <"$context" >/dev/null
    if [ -n "$old" ] && [ "$old" != "$("$engine" image inspect --format '{{.Id}}' "$tag")" ]; then
        "$engine" image rm "$old" >/dev/null 2>&1 || true # still used, or a layer of another image
    fi
    say "$tag ($("$engine" image inspect --format '{{.Size}}' "$tag" | awk '{printf "%.0f MB", $1 / 1e6}'))"
}

algorithms() { # lines of NAME TAG
    "$python" - <<'PYTHON'
import json, pathlib
for path in sorted(pathlib.Path("algorithms").glob("*/manifest.json")):
    manifest = json.loads(path.read_text())
    if manifest.get("image"):
        print(path.parent.name, manifest["image"])
PYTHON
}

context="$(mktemp)"
trap 'rm -f "$context"' EXIT
wanted=" ${*:-} "

while read -r name tag; do
    [[ "$wanted" == "  " || "$wanted" == *" $name "* ]] || continue
    say "$tag: fetching packages for Python $version on $machine"
    fetch "$name" -r "containers/requirements/$name.txt"
    build "$name" "$tag" containers/Dockerfile --build-arg ALGORITHM="$name"
done < <(algorithms)

if [[ "$wanted" == *" server "* ]]; then
    say "sagelet/server: fetching packages for Python $version on $machine"
    wheel="$(mktemp -d)"
    "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$wheel" .
    fetch server "$wheel"/*.whl
    rm -rf "$wheel"
    build server sagelet/server containers/server/Dockerfile
fi
