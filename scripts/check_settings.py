"""Load the settings and say in one line what is wrong with them. A trace would help nobody here."""

import importlib
import sys


def main() -> int:
    """Return 0 when the settings are sound."""
    try:
        importlib.import_module("config.settings")
    except Exception as error:  # noqa: BLE001 - whatever it is, its text is the message
        print(f"A setting is wrong: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
