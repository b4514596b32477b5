"""Compile the catalogues that changed; `python -m scripts.messages` extracts all texts before."""

import subprocess
import sys
from itertools import chain

from scripts import environment
from scripts.places import CHECKOUT, SetupError

_HOMES = ("", "config/words_of_libraries/")


def compile_all() -> None:
    """Make the file that the site reads of every catalogue that is newer. Raises `SetupError`."""
    found = [CHECKOUT.glob(f"{home}locale/*/LC_MESSAGES/*.po") for home in _HOMES]
    for catalogue in chain.from_iterable(found):
        made = catalogue.with_suffix(".mo")
        if made.exists() and made.stat().st_mtime >= catalogue.stat().st_mtime:
            continue
        half = made.with_suffix(".new")  # somebody may be reading the old one
        try:
            done = subprocess.run(
                ["msgfmt", "--check-format", "-o", half, catalogue], capture_output=True, text=True
            )
        except FileNotFoundError:
            raise SetupError("msgfmt is missing: `apt-get install gettext`") from None
        if done.returncode:
            raise SetupError(f"{catalogue.relative_to(CHECKOUT)} is broken:\n{done.stderr.strip()}")
        half.rename(made)


def main() -> int:
    """Return 0 when the catalogues hold all texts of the sources."""
    command = [sys.executable, "manage.py", "makemessages"]
    if code := subprocess.run(command, cwd=CHECKOUT, env=environment.of_this_checkout()).returncode:
        return code
    try:
        compile_all()
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
