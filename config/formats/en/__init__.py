"""English, as it is read outside of America."""
