"""`python -m selftalk.stream` is `selftalk`."""

import sys

from selftalk.stream.cli import main

sys.exit(main())
