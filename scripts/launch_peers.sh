#!/usr/bin/env bash
# Start N peers (3 when not said) on this machine, from nothing: the first start installs what is
# needed into .venv, later starts begin at once.
#
#   scripts/launch_peers.sh [N] [options of `tars cluster up`]
#
#   scripts/launch_peers.sh
#   scripts/launch_peers.sh 5 --genome ~/my-service --detach
set -euo pipefail

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"; }

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
peers=3
case "${1:-}" in
  -h | --help)
    usage
    exit 0
    ;;
  "" | -*) ;;
  *)
    peers="$1"
    shift
    ;;
esac
if [[ ! "$peers" =~ ^[1-9][0-9]{0,2}$ ]]; then
  echo "error: the number of peers must be a whole number from 1 to 999, not '$peers'" >&2
  usage >&2
  exit 2
fi

"$root/scripts/setup_environment.sh" runtime
exec "$root/.venv/bin/tars" cluster up --peers "$peers" "$@"
