"""Run the command line with ``python -m parcels``."""

import sys

from parcels.cli import main

if __name__ == "__main__":
    sys.exit(main())
