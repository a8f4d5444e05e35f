#!/usr/bin/env bash
# Write tars_peer/wire/ from proto/. With --check, write nothing: exit 1 when it is not up to date.
#
# Needs the "dev" extra (grpcio-tools). PYTHON names the interpreter; the project's own virtual
# environment is taken where there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python="${PYTHON:-}"
if [[ -z "$python" ]]; then
  python=python3
  [[ -x .venv/bin/python ]] && python=.venv/bin/python
fi
if ! "$python" -c 'import grpc_tools' 2>/dev/null; then
  echo "error: $python has no grpcio-tools" >&2
  echo "hint: pip install -e '.[dev]', or name an interpreter that has it: PYTHON=... $0" >&2
  exit 2
fi

case "${1:-}" in
  "") check=no ;;
  --check) check=yes ;;
  *) echo "usage: $0 [--check]" >&2; exit 2 ;;
esac

fresh="$(mktemp -d)"
trap 'rm -rf "$fresh"' EXIT

"$python" -m grpc_tools.protoc --proto_path=proto \
  --python_out="$fresh" --pyi_out="$fresh" --grpc_python_out="$fresh" \
  proto/tars/v1/*.proto

# protoc imports by the proto's path (tars.v1); here the package lives in tars_peer.wire.
find "$fresh" -name '*.py*' -exec sed -i \
  -e 's/^from tars\.v1 import /from tars_peer.wire.tars.v1 import /' {} +

package() { printf '"""%s"""\n' "$2" >"$fresh/$1/__init__.py"; }
package . "Generated from proto/ by scripts/generate_wire.sh. Nothing written by hand may enter here.

Only adapters may import it.
"
package tars "Generated messages and stubs; nothing written by hand may enter here."
package tars/v1 "Version 1 of the wire; nothing written by hand may enter here."

if [[ "$check" == yes ]]; then
  if ! diff -r --exclude=__pycache__ "$fresh" tars_peer/wire; then
    echo "error: tars_peer/wire is not what proto/ generates" >&2
    echo "hint: run scripts/generate_wire.sh and commit what it writes" >&2
    exit 1
  fi
  exit 0
fi
rm -rf tars_peer/wire
mkdir -p tars_peer/wire
cp -r "$fresh"/. tars_peer/wire/
