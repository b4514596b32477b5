"""Commands for the office."""
