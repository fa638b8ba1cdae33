"""`python -m tools.venues`."""

import sys

from tools.venues.cli import main

sys.exit(main())
