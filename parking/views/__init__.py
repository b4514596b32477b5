"""The citizen's pages and the warden's; one file per page."""
