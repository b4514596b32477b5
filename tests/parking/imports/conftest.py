"""A mapping and a way to run an import, for every test of imports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parking.imports import Report, import_file, read_mapping
from tests.cast import NOW

SHARED = Path(__file__).resolve().parents[3] / "../shared/data"
Import = Callable[..., Report]

COLUMNS = """
source = "test"
[place]
longitude = "lon"
latitude = "lat"
[zone]
code = "zone"
[spot]
key = "id"
number = "no"
street = "street"
"""


@pytest.fixture
def run(db: None, tmp_path: Path) -> Import:
    """Import a file by a mapping given as TOML text."""

    def imported(path: Path, mapping: str = COLUMNS, **options: Any) -> Report:
        written = tmp_path / "mapping.toml"
        written.write_text(mapping, encoding="utf-8")
        return import_file(path=path, mapping=read_mapping(written), **{"now": NOW, **options})

    return imported


def spot_rows(count: int = 3, **changes: Any) -> list[dict[str, Any]]:
    """Return rows of spots along a street of Helsinki, 7 m from each other."""
    return [
        {
            "id": f"s{place}",
            "zone": "kamppi",
            "no": f"K-{place}",
            "street": "Fredrikinkatu",
            "lon": f"{24.935 + place * 0.000126:.6f}",
            "lat": "60.168",
            **changes,
        }
        for place in range(1, count + 1)
    ]


def city_file(name: str) -> Path:
    """Return a real city's file, or skip the test and say why."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the city's own file is not here: {path}")
    return path
