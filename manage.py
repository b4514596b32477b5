#!/usr/bin/env python
"""Run an administrative command of the site.

Settings come from the environment. In a checkout of one's own, where nothing is set, those of the
site that `make run` started are used, and harmless ones for commands that need no server.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if (
        not {"SECRET_KEY", "DATABASE_URL"} & set(os.environ)
        and Path(__file__).with_name("scripts").is_dir()
    ):
        from scripts.environment import of_this_checkout

        os.environ.update(of_this_checkout())
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed for this Python. Use .venv/bin/python, or `make manage`.")
    execute_from_command_line(sys.argv)
