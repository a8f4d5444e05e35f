#!/usr/bin/env bash
# Make .venv hold exactly what a lock file names, and this project; do nothing when it does already.
#
#   scripts/setup_environment.sh runtime    what a peer needs    (requirements.lock)
#   scripts/setup_environment.sh dev        and the checks       (requirements-dev.lock)
#
# Needs bash and Python 3.11 or later, nothing else; TARS_PYTHON names the Python to take. This file
# only finds it, environment.py does the work. All words go to standard error.
set -euo pipefail

scripts="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
venv_python="$scripts/../.venv/bin/python"

# What a shell exports for another project must not reach into ours.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV

find_python() {
  local name
  for name in ${TARS_PYTHON:+"$TARS_PYTHON"} python3 python3.{14,13,12,11}; do
    # Asked for its own path, because a version manager's shim may stand for another, or for none.
    "$name" -I -c '
import sys
if sys.version_info < (3, 11):
    sys.exit(1)
print(sys.executable)' 2>/dev/null && return
  done
  return 1
}

# The quick way, 30 ms: nothing has changed since the last time.
if [[ -x "$venv_python" ]] && "$venv_python" -I -S "$scripts/environment.py" --check "$@" 2>/dev/null; then
  exit 0
fi

if ! python="$(find_python)"; then
  echo "error: no Python 3.11 or later found: install one (Debian, Ubuntu: sudo apt-get install" \
    "python3 python3-venv), or name it: TARS_PYTHON=/path/to/python3" >&2
  exit 1
fi
exec "$python" "$scripts/environment.py" "$@"
