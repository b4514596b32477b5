"""`make lint`: every check, all of them even when one fails, with an honest exit code."""

import subprocess
import sys
import time

from scripts.environment import for_tests
from scripts.places import CHECKOUT

_PYTHON = sys.executable
_CHECKS = {
    "style": [_PYTHON, "-m", "ruff", "check", "."],
    "format": [_PYTHON, "-m", "ruff", "format", "--check", "."],
    "types": [_PYTHON, "-m", "mypy", "."],
    "layers": [_PYTHON, "-c", "import importlinter.cli as cli; cli.lint_imports_command()"],
    "templates": [_PYTHON, "-m", "djlint", "templates", "--check", "--lint"],
    "messages": [_PYTHON, "manage.py", "makemessages", "--check", "--verbosity", "0"],
    # No database is needed to compare models with migrations; Django warns that it found none.
    "migrations": [
        *(_PYTHON, "-W", "ignore::RuntimeWarning", "manage.py", "makemigrations"),
        *("--check", "--dry-run", "--skip-checks"),
    ],
}


def main() -> int:
    """Return 0 when every check passes."""
    env = for_tests("postgis:///nowhere", "redis://127.0.0.1:1/0")
    failed = []
    for name, command in _CHECKS.items():
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=CHECKOUT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        verdict = "failed" if done.returncode else "ok"
        print(f"{name:<11}{verdict:<7}{time.monotonic() - began:6.1f} s", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout.rstrip(), flush=True)
    if failed:
        print(f"lint: {', '.join(failed)} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
