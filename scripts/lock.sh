#!/usr/bin/env bash
# Resolve pyproject.toml into hashed requirements that name no index. Arguments go to uv (--upgrade).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

uv=(.venv/bin/python -m uv)
"${uv[@]}" --version >/dev/null 2>&1 || uv=(uv) # a linked environment may have been made without it

resolve() {
    "${uv[@]}" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-annotate --custom-compile-command "make lock" "$@"
}
resolve "$@" pyproject.toml -o requirements.txt
# The tools are resolved on top of the site's own versions, so that tests run what production runs.
resolve "$@" pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
