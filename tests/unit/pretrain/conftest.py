"""The small corpus, for the tests of this room."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_corpus import small_settings


@pytest.fixture
def settings():
    """Settings of a network that trains in a second."""
    return small_settings()
