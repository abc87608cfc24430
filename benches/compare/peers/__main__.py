"""The Python peers: measures one kind of work and writes records, one JSON object a line, to the standard output.

Usage: python peers GROUP DIR, with DIR made by `overseer-compare data DIR`.

Every thread pool is held to one thread by `run`, through the environment, as every peer is by its own parameter.
"""

import importlib
import logging
import sys

GROUPS = ("iforest", "forest", "trend", "rest", "cycle")


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in GROUPS:
        sys.exit(__doc__)
    # YDF warns that it ignores options nobody gave.
    logging.getLogger("absl").setLevel(logging.ERROR)
    importlib.import_module(sys.argv[1]).run(sys.argv[2])


main()
