"""Run the sandbox: ``python -m payments.sandbox --help``."""

import sys

from payments.sandbox.cli import main

if __name__ == "__main__":
    sys.exit(main())
