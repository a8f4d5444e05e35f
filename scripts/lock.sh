#!/usr/bin/env bash
# Write requirements.lock and requirements-dev.lock from pyproject.toml, for every platform.
#
#   scripts/lock.sh              keep what is pinned, where it still fits
#   scripts/lock.sh --upgrade    take the newest of everything
#
# Both name versions and hashes, but no address: where to fetch from is each machine's own affair.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export UV_CUSTOM_COMPILE_COMMAND="make lock"

compile() {
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links "$@" pyproject.toml
}
compile "$@" --extra build --output-file requirements.lock
# The same versions in both, so that the checks see what a peer runs.
compile "$@" --extra build --extra test --extra dev --constraints requirements.lock \
  --output-file requirements-dev.lock
