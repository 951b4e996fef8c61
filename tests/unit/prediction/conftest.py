"""Lets the tests of this room import each other's small worlds."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
