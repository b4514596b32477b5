#!/usr/bin/env bash
# Install what this machine lacks: Debian packages, then .venv from the hashed lock.
# Costs a moment when nothing is missing. Usage: scripts/bootstrap.sh run|dev|test|bench
#   run   what the site needs      test    and a browser with fonts, an MQTT broker, Lighthouse
#   dev   and what lint needs      bench   and what sends requests by the thousand
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

level=${1:-run}
case $level in run | dev | test | bench) ;; *) echo "usage: $0 run|dev|test|bench" >&2 && exit 2 ;; esac

say() { printf '%s\n' "$*"; }
die() {
    printf 'bootstrap: %s\n' "$@" >&2
    exit 1
}

# --- What is missing ----------------------------------------------------------------------------
# Asked of the machine rather than of dpkg, so that a PostgreSQL or Python from elsewhere also counts.

usable_python() {
    "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in /usr/bin/python3 "$(command -v python3 || true)"; do
        if [ -x "$candidate" ] && usable_python "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
}

has_postgis() {
    local control version
    for control in /usr/share/postgresql/*/extension/postgis.control; do
        version=${control#/usr/share/postgresql/} version=${version%%/*}
        if [ "${version%%.*}" -ge 15 ] 2>/dev/null && [ -x "/usr/lib/postgresql/$version/bin/initdb" ]; then
            return 0
        fi
    done
    return 1
}

# Not by a pipe: grep would hang up on its first find, and that would count as a failure.
has_library() { grep -q "$1" <<<"$(/sbin/ldconfig -p)"; }
has_command() { command -v "$1" >/dev/null; }
has_font() { compgen -G "/usr/share/fonts/*/*/$1*" >/dev/null; }

# A part that the caller brings along need not be installed here; tests always use their own.
brought() { [ "$level" = run ] && [ -n "$1" ]; }

missing_packages() {
    [ -n "$(find_python)" ] || echo python3 python3-venv
    brought "${DATABASE_URL:-}" || has_postgis || echo postgresql-postgis
    has_library 'libgdal\.so' && has_library 'libgeos_c\.so' || echo postgresql-postgis
    brought "${REDIS_URL:-}" || has_command redis-server || echo redis-server
    has_command msgfmt || echo gettext
    if [ "$level" = bench ]; then
        has_command wrk || echo wrk
    fi
    if [ "$level" = test ] || [ "$level" = bench ]; then
        has_command chromium-headless-shell || echo chromium-headless-shell
        has_command mosquitto || [ -x /usr/sbin/mosquitto ] || echo mosquitto
        has_font DejaVuSans || echo fonts-dejavu-core
        has_font NotoSansArabic || echo fonts-noto-core
    fi
}

install_packages() {
    local as_root=() policy=/usr/sbin/policy-rc.d log=.local/apt.log
    has_command apt-get || die "please install what Debian 12 calls: $*"
    if [ "$(id -u)" != 0 ]; then
        has_command sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; } ||
            die "these Debian packages are missing and sudo is not at hand. As root, please run:" \
                "  apt-get update && apt-get install $*"
        as_root=(sudo)
    fi
    say "Installing Debian packages (a minute or two, details in $log): $*"
    # Debian starts PostgreSQL and Redis on their usual ports as soon as they are unpacked. Ours are private.
    if [ ! -e "$policy" ]; then
        # shellcheck disable=SC2064
        trap "${as_root[*]} rm -f $policy" EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
        apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    # An unreachable list is no reason to stop: the packages may be there from another one.
    "${apt[@]}" update >"$log" 2>&1 || say "apt-get update had trouble; going on with what it has."
    if ! "${apt[@]}" install --no-install-recommends "$@" >>"$log" 2>&1; then
        tail -n 15 "$log" >&2
        die "apt-get could not install: $*" "The end of its log is above, all of it in $log."
    fi
}

# --- The Python environment ---------------------------------------------------------------------

# What this environment was made from. Another interpreter or another lock means: again.
state_of() { printf '%s %s' "$(.venv/bin/python -V 2>&1)" "$(sha256sum "$1")"; }

# uv reads neither pip's files nor its variables; a machine with a mirror usually has told only pip.
pip_setting() { .venv/bin/python -m pip config list 2>/dev/null | sed -n "s/^.*\.$1='\(.*\)'\$/\1/p" | tail -n 1; }

sync_environment() {
    local lock=$1 python log=.local/packages.log value
    python=$(find_python)
    say "Installing Python packages from $lock"
    if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear .venv
    fi
    export PIP_DISABLE_PIP_VERSION_CHECK=1 UV_PYTHON_DOWNLOADS=never
    if ! .venv/bin/python -m pip install -q --require-hashes -r scripts/requirements-uv.txt >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        die "pip could not install uv. Is the package index reachable? Set PIP_INDEX_URL for a mirror."
    fi
    value=$(pip_setting index-url) && [ -z "$value" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$value}"
    value=$(pip_setting trusted-host) && [ -z "$value" ] || export UV_INSECURE_HOST="${UV_INSECURE_HOST:-$value}"
    value=$(pip_setting cert) && [ -z "$value" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$value}"
    if .venv/bin/python -m uv pip sync -q --python .venv/bin/python --require-hashes "$lock" >>"$log" 2>&1; then
        return
    fi
    say "uv could not; trying pip, which is slower but knows every setting of this machine."
    if ! .venv/bin/python -m pip install -q --require-hashes -r "$lock" >>"$log" 2>&1; then
        tail -n 15 "$log" >&2
        die "the packages of $lock could not be installed. The end of the log is above, all of it in $log."
    fi
}

# --- Do it --------------------------------------------------------------------------------------

mkdir -p .local 2>/dev/null && [ -w .local ] ||
    die "this folder cannot be written by $(id -un): .local belongs to $(stat -c %U .local 2>/dev/null || echo nobody yet)."
exec 9>.local/bootstrap.lock
flock 9 # two commands at once would install at once

mapfile -t packages < <(missing_packages | tr ' ' '\n' | sort -u)
[ "${#packages[@]}" = 0 ] || install_packages "${packages[@]}"
[ -n "$(find_python)" ] || die "Python 3.11 or newer is needed, with its venv module; this machine has $(python3 -V 2>&1 || echo none)."

# What tests run with Node, which came as a Python package.
sync_node_tools() { [ "$level" != test ] && [ "$level" != bench ] || .venv/bin/python -m scripts.node_tools; }

# A linked environment is shared by several checkouts and kept by whoever made it.
if [ -L .venv ]; then
    sync_node_tools
    exit 0
fi

installed=$(cat .venv/.installed 2>/dev/null || true)
lock=requirements.txt
# Once the tools for tests are in, `make run` leaves them there.
if [ "$level" != run ] || [[ $installed == *requirements-dev.txt ]]; then lock=requirements-dev.txt; fi
if [ "$installed" != "$(state_of "$lock" 2>/dev/null)" ]; then
    sync_environment "$lock"
    state_of "$lock" >.venv/.installed
fi
sync_node_tools
