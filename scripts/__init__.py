"""What the Makefile calls to start, supervise and stop the site. Standard library only."""
