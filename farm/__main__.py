"""Run the `farm` command: `python -m farm`."""

from farm.cli import main

main()
