"""What tests of every room share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, and several workers keep it busy.
settings.register_profile("scarceseq", deadline=None)
settings.load_profile("scarceseq")
# One thread for each of several workers, and for what they start; set before numpy and torch are imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs of the workflow first: they take long, and what is short fills the workers at the end.

    The first file makes the finished run; others that need it come last of these, or a worker would wait for it.
    """
    need = {item.path for item in items if "finished_run" in item.fixturenames}
    need -= {min(need, default=None)}
    items.sort(key=lambda item: (item.path.parent.name != "workflow", item.path in need))


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real data and of results computed in R, beside the repository; a test that needs it skips without."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SCARCESEQ_SHARED_DATA", default))
    if not (folder / "bulk").is_dir():
        pytest.skip(f"the real data are not at {folder}; SCARCESEQ_SHARED_DATA may name another folder")
    return folder
