"""The runs of the command line, from options to report."""
