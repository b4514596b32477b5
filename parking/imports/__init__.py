"""City files in GeoJSON, CSV, shapefile or GeoPackage → zones, meters, spots, tariffs.

`import_file` is the whole of it; `parking.imports.mapping` describes the mapping that says what
the columns of a file mean. docs/import.md is the page for operators.
"""

from parking.imports.errors import ImportFailed, MappingError
from parking.imports.mapping import read_mapping
from parking.imports.report import Kind, Noun, Remark, Report
from parking.imports.run import import_file

__all__ = [
    "ImportFailed",
    "Kind",
    "MappingError",
    "Noun",
    "Remark",
    "Report",
    "import_file",
    "read_mapping",
]
