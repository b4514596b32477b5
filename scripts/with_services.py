"""Run one command beside a private PostgreSQL and Redis, and stop both when it ends.

Usage: python -m scripts.with_services test|bench COMMAND…
"""

import signal
import subprocess
import sys
from types import FrameType

from scripts.environment import for_tests
from scripts.local_services import Postgres, Redis, running
from scripts.messages import compile_all
from scripts.places import Place, SetupError


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    if len(arguments) < 2 or arguments[0] not in {"test", "bench"}:
        print(__doc__, file=sys.stderr)
        return 2
    name, *command = arguments
    place = Place(name)
    try:
        with place.alone(wait=True):
            postgres, redis = Postgres(place, durable=name == "bench"), Redis(place)
            compile_all()
            with running(place, postgres, redis):
                return run(command, for_tests(postgres.url("curblight"), redis.url))
    except SetupError as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(command: list[str], env: dict[str, str]) -> int:
    """Run a command in the foreground. Ctrl-C is its own to answer; we only wait and tidy up."""
    with subprocess.Popen(command, env=env) as process:

        def pass_on(number: int, _frame: FrameType | None) -> None:
            process.send_signal(number)

        # The terminal sends Ctrl-C to both of us; a TERM reaches only us.
        before = {
            signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
            signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
            signal.SIGHUP: signal.signal(signal.SIGHUP, pass_on),
        }
        try:
            code = process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
