"""The command line, called as ``python -m tutelage``."""

from tutelage.cli import main

main()
