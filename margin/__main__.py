"""`python -m margin`."""

import sys

from margin.cli.main import main

sys.exit(main())
