"""`python -m sagelet`."""

import sys

from sagelet.cli import main

sys.exit(main())
