"""The site's settings as the environment of this moment makes them."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def read_settings() -> dict[str, Any]:
    """Read them anew; the ones that the tests run with stay."""
    used = {name: module for name, module in sys.modules.items() if _is_ours(name)}
    for name in used:
        del sys.modules[name]
    try:
        return vars(importlib.import_module("config.settings"))
    finally:
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(used)


def _is_ours(name: str) -> bool:
    return name == "config.settings" or name.startswith("config.settings.")
