"""What tests of every room share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real data and of results computed in R, beside the repository; a test that needs it skips without."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SCARCESEQ_SHARED_DATA", default))
    if not (folder / "bulk").is_dir():
        pytest.skip(f"the real data are not at {folder}; SCARCESEQ_SHARED_DATA may name another folder")
    return folder
