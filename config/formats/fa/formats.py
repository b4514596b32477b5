"""The signs between Persian digits; days are Jalali, see `parking.numerals`."""

DECIMAL_SEPARATOR = "\N{ARABIC DECIMAL SEPARATOR}"
THOUSAND_SEPARATOR = "\N{ARABIC THOUSANDS SEPARATOR}"
NUMBER_GROUPING = 3
