"""Commands of the parking side."""
