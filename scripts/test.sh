#!/usr/bin/env bash
# Run every check and every test, from nothing: the first run installs what is needed into .venv.
#
#   scripts/test.sh                 all checks, then all tests
#   scripts/test.sh [pytest args]   only pytest, with these arguments
#
# Ends with pytest's summary. Exit code 0 only when the checks and the tests all passed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup_environment.sh dev
unset PYTHONPATH PYTHONHOME
export PATH="$PWD/.venv/bin:$PATH" # the tools find each other as they do in an active environment

if (($# > 0)); then
  exec python -m pytest "$@"
fi
scripts/check.sh && checks=0 || checks=$?
python -m pytest || exit
exit "$checks"
