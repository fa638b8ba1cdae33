"""`python -m tools.sample`."""

import sys

from tools.sample.build import main

sys.exit(main())
