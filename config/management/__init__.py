"""Commands that know both applications."""
