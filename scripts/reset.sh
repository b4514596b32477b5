#!/usr/bin/env bash
# Delete .local/ with all its databases. Needs neither Python nor .venv, because either may be broken.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ -d .local ] || exit 0
for place in run test bench; do
    [ -e ".local/$place/lock" ] || continue
    exec 9<".local/$place/lock"
    if ! flock -n 9; then
        echo "make reset: .local/$place is in use ($(cat ".local/$place/lock")). Stop that first." >&2
        exit 1
    fi
    # Sockets live under /tmp where the path of the checkout is too long for them.
    sockets=$(readlink ".local/$place/sockets" || true)
    case $sockets in /tmp/curblight-*) rm -rf -- "$sockets" ;; esac
done
rm -rf .local
