"""The operator's desk, one file per noun."""

import importlib
import pkgutil

# Each file of this package registers its own noun; one that is added is found by itself.
for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
