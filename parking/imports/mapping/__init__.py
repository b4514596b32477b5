"""The mapping: a TOML file that says what the columns of a city's file mean.

```toml
source = "boston-meters"          # names the file's keys for ever; required

[file]                            # all optional
encoding = "cp1252"               # of a CSV file or shapefile; found out otherwise
delimiter = ";"                   # of a CSV file; found out otherwise
layer = "spots"                   # of a file with several
crs = "EPSG:25832"                # where the file does not say, or says it wrongly

[place]                           # none of them: the file's own geometry
longitude = "LON"                 # with latitude, in degrees; or x + y with file.crs; or wkt
latitude = "LAT"

[[only]]                          # rows that stay; [[skip]]: rows that go
column = "STATE"                  # and one of: is = [...], matches = "regex", present = true
is = ["ACTIVE"]

[zone]
code = "ZONE"                     # or [zone.polygons] with file, code, name
[spot]
key = "ID"                        # unique in the file and stable over its editions
number = "SPACE_NO"
[meter]
serial = "METER"                  # or [meter.group] with by, size
[tariff]
hours = "POLICY"
pattern = '(?P<from>\\d+)-(?P<to>\\d+) (?P<days>\\S+) (?P<rate>[\\d.]+)'
[stay_rules]
longest_stay_min = 120
```

Wherever a value comes from the file it is written as a column's name, or as a table with one of
`column`, `constant`, `template` ("{STREET} {NO}"), and then `pattern` (a regular expression; its
first group, or the whole match), `map` (texts to texts), `default`. docs/import.md has every key.
"""

from parking.imports.mapping.model import (
    FileRules,
    Filter,
    GroupRules,
    ImportMapping,
    MeterRules,
    OutlineRules,
    PlaceRules,
    SpotRules,
    StayRulesRules,
    TariffRules,
    ZoneRules,
)
from parking.imports.mapping.parse import read_mapping
from parking.imports.mapping.values import Names, Value

__all__ = [
    "FileRules",
    "Filter",
    "GroupRules",
    "ImportMapping",
    "MeterRules",
    "Names",
    "OutlineRules",
    "PlaceRules",
    "SpotRules",
    "StayRulesRules",
    "TariffRules",
    "Value",
    "ZoneRules",
    "read_mapping",
]
