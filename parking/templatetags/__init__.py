"""Template tags of the citizen's pages."""
