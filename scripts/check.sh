#!/usr/bin/env bash
# Run every check that is not a test; go on after a failure, so that one run shows them all.
#
#   scripts/check.sh       needs .venv as scripts/setup_environment.sh dev makes it
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
failed=()

# check <name> <command...>: silent when it passes, its whole output when it does not.
check() {
  local name="$1" output
  shift
  if output="$("$@" 2>&1 </dev/null)"; then
    printf 'ok      %s\n' "$name"
  else
    printf '%s\nFAILED  %s: %s\n' "$output" "$name" "$*"
    failed+=("$name")
  fi
}

bin=.venv/bin
check "lint" "$bin/ruff" check
check "format" "$bin/ruff" format --check
check "types" "$bin/mypy"
check "contracts" "$bin/lint-imports"
check "proto" "$bin/buf" lint
check "wire" scripts/generate_wire.sh --check

if ((${#failed[@]} > 0)); then
  printf 'checks failed: %s\n' "${failed[*]}"
  exit 1
fi
