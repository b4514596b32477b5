"""The site as the server loads it."""

import subprocess
import sys


def test_a_collection_of_garbage_holds_nobody_up() -> None:
    """What was loaded at the start is not walked through again: it is most of what there is."""
    script = (
        "import gc; from config.wsgi import application; "
        "print(gc.get_freeze_count() > 20 * len(gc.get_objects()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"
