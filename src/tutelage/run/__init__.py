"""One run of the command line, from options to report."""
