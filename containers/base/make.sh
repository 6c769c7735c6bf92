#!/usr/bin/env bash
# Make a base image without any registry: a minimal Debian with Python, by debootstrap and `docker import`.
# For machines that cannot pull python:3.11-slim. Needs root (debootstrap makes a chroot) and the debootstrap package.
#   containers/base/make.sh [TAG]
set -euo pipefail

tag="${1:-sagelet/base:bookworm}"
suite="${SUITE:-bookworm}"
engine="${CONTAINER_CLI:-docker}"
packages=python3,python3-venv,ca-certificates

say() { echo "base: $*" >&2; }

if ! command -v debootstrap >/dev/null; then
    say "debootstrap is missing; apt-get install debootstrap, or pass BASE_IMAGE=<an image with Python 3.11>"
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    say "debootstrap needs root; run this script once with sudo, or pass BASE_IMAGE=<an image with Python 3.11>"
    exit 1
fi

root="$(mktemp -d)"
trap 'rm -rf --one-file-system "$root"' EXIT

say "debootstrap $suite with $packages"
debootstrap --variant=minbase --include="$packages" "$suite" "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    say "debootstrap failed; the lines above say why"
    exit 1
}
rm -f "$root.log"

# What only makes the image bigger: package archives and lists, documentation, translations, bytecode.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,info,locale,lintian}/* \
    "$root"/var/log/*.log
find "$root"/usr -name __pycache__ -type d -prune -exec rm -rf {} +
ln -sf python3 "$root/usr/bin/python"

tar -C "$root" --one-file-system --numeric-owner --exclude=./proc/* --exclude=./sys/* --exclude=./dev/* -c . |
    "$engine" import --change 'CMD ["python3"]' --change 'ENV LANG=C.UTF-8' - "$tag" >/dev/null
say "made $tag"
