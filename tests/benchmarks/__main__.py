"""Run the benchmarks one after the other: `python -m tests.benchmarks [NAME…]`."""

import subprocess
import sys

NAMES = (
    *("pricing", "second_opinion", "what_if", "holds", "spots", "waiting", "lights"),
    *("simulator", "webhooks", "payments", "ledger", "exports"),
)


def main(wanted: list[str]) -> int:
    """Run each in a process of its own; return 1 when one missed its goal."""
    if unknown := set(wanted) - set(NAMES):
        sys.stderr.write(f"no such benchmark: {', '.join(unknown)}; known: {', '.join(NAMES)}\n")
        return 2
    missed = []
    for name in wanted or NAMES:
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        if subprocess.run(
            [sys.executable, "-m", f"tests.benchmarks.{name}"], check=False
        ).returncode:
            missed.append(name)
    if missed:
        sys.stdout.write(f"\nmissed its goal: {', '.join(missed)}\n")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
