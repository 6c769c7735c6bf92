#!/usr/bin/env bash
# Build our images, as images.txt lists them, and the server's. Without a name: those that are always built.
#   [BASE_IMAGE=python:3.11-slim] [CONTAINER_CLI=docker|podman] containers/build.sh [IMAGE | server]...
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
# The newest first: pip takes the first that fits.
platforms=()
for ((minor = glibc; minor >= 17; minor--)); do platforms+=(--platform "manylinux_2_${minor}_$machine"); done
platforms+=(--platform "manylinux2014_$machine")

fetch() { # NAME REQUIREMENT...: the wheels of NAME into build/wheels/NAME
    local folder="build/wheels/$1"
    shift
    rm -rf "$folder"
    mkdir -p "$folder"
    "$python" -m pip download --quiet --disable-pip-version-check --dest "$folder" --only-binary=:all: \
        --python-version "$version" --implementation cp "${platforms[@]}" "$@"
}

id_of() { "$engine" image inspect --format '{{.Id}}' "$1" 2>/dev/null || true; }

forget() { # ID TAG: the image that had this tag before
    if [ -n "$1" ] && [ "$1" != "$(id_of "$2")" ]; then
        "$engine" image rm "$1" >/dev/null 2>&1 || true # still used, or a layer of another image
    fi
}

build() { # NAME TAG DOCKERFILE ARGUMENT...
    local name="$1" tag="$2" file="$3" old
    shift 3
    old="$(id_of "$tag")"
    tar -c --exclude=__pycache__ LICENSE README.md pyproject.toml \
        algorithms api containers emulator sagelet >"$context"
    tar -r -f "$context" "build/wheels/$name"
    "$engine" build --quiet --force-rm --file "$file" --tag "$tag" --build-arg BASE_IMAGE="$base" "$@" - <"$context" >/dev/null
    forget "$old" "$tag"
    say "$tag ($("$engine" image inspect --format '{{.Size}}' "$tag" | awk '{printf "%.0f MB", $1 / 1e6}'))"
}

manifests() { # lines of ALGORITHM IMAGE
    "$python" - <<'PYTHON'
import json, pathlib
for path in sorted(pathlib.Path("algorithms").glob("*/manifest.json")):
    manifest = json.loads(path.read_text())
    if manifest.get("image"):
        print(path.parent.name, manifest["image"])
PYTHON
}

name_it() { # IMAGE NAME: a further name; by it the image is the first algorithm whose manifest has that name
    local algorithm old
    old="$(id_of "sagelet/$2")"
    algorithm="$(manifests | awk -v image="sagelet/$2" '$2 == image { print $1; exit }')"
    "$engine" build --quiet --force-rm --tag "sagelet/$2" - >/dev/null <<DOCKERFILE
FROM sagelet/$1
ENV SAGELET_ALGORITHM=$algorithm
DOCKERFILE
    forget "$old" "sagelet/$2"
    say "sagelet/$2 is sagelet/$1${algorithm:+ as $algorithm}"
}

asked_for() { # WHEN NAME...: whether the image is to be built now
    [[ "$wanted" == "  " && "$1" == always ]] && return
    local name
    for name in "${@:2}"; do [[ "$wanted" == *" $name "* ]] && return; done
    return 1
}

listed() { grep -v '^#' containers/images.txt; }

context="$(mktemp)"
trap 'rm -f "$context"' EXIT
wanted=" ${*:-} "

for asked in "$@"; do
    [ "$asked" = server ] || listed | grep -qw -- "$asked" || {
        say "there is no image $asked; there are: server $(listed | awk '{ printf "%s ", $1 }')"
        exit 1
    }
done

while read -r name when names; do
    asked_for "$when" $name $names || continue
    say "sagelet/$name: fetching packages for Python $version on $machine"
    fetch "$name" -r "containers/requirements/$name.txt"
    build "$name" "sagelet/$name" containers/Dockerfile --build-arg IMAGE="$name"
    for further in $names; do name_it "$name" "$further"; done
done < <(listed)

if [[ "$wanted" == *" server "* ]]; then
    say "sagelet/server: fetching packages for Python $version on $machine"
    wheel="$(mktemp -d)"
    "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$wheel" .
    fetch server "$(echo "$wheel"/*.whl)[onnx]"
    rm -rf "$wheel"
    build server sagelet/server containers/server/Dockerfile
fi
