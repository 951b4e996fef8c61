"""Lets the tests of this room import the small screen of cells of the perturbation room."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "perturbation"))
