"""Curves of a run as TensorBoard reads them."""

import logging
import shutil
from pathlib import Path

logger = logging.getLogger(__name__)


class Events:
    """Event files of a run in one folder; nothing is written without one, or without the package tensorboardX."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = folder and Path(folder)
        self._writer = None

    def start(self, step: int) -> None:
        """Begin after `step` steps; 0 removes what an earlier run left, else its later steps are passed over."""
        if self.folder is None:
            return
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            logger.info("no curves are written: the package tensorboardX is not installed")
            return
        if step == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._writer = SummaryWriter(str(self.folder), purge_step=step + 1 if step else None, flush_secs=10)

    def write(self, step: int, values: dict[str, float]) -> None:
        """Add numbers by name at a step."""
        if self._writer:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is waiting."""
        if self._writer:
            self._writer.close()
