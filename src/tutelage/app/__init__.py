"""The whole path in a browser: from a file to a table of labels, each step a command of its own."""
