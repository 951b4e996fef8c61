"""What every script does first: log to its file and to the terminal, say which rule it is of, keep freed memory."""

import atexit
import contextlib
import ctypes
import faulthandler
import logging
import os
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import TracebackType

from scarceseq.seals import RULE

# Begins the line of a log that says how long interpreter and imports took; the report adds them up.
READY = "started in"
# Says how long attempts took that did not succeed.
EARLIER = "earlier attempts took"


def start(log_path: str, append: bool = False) -> None:
    """Send log records, warnings and an uncaught error's traceback to the rule's log file and to standard error.

    If `append`, what the file holds stays: of several processes of one rule, the first to start begins it.
    """
    attempt = Path(log_path).with_name(f".{Path(log_path).stem}.attempt")
    earlier = 0.0 if append else begin_attempt(attempt)
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
    handlers: list[logging.Handler] = [
        logging.FileHandler(log_path, mode="a" if append else "w"),
        logging.StreamHandler(sys.stderr),
    ]
    for handler in handlers:
        handler.setFormatter(form)
    if not append:
        handlers.append(Touch(attempt))
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    for noisy in ("matplotlib", "fontTools", "numba", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

    failed: list[BaseException] = []

    def report(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        logging.getLogger("scarceseq").error("%s: %s", kind.__name__, error, exc_info=(kind, error, traceback))
        failed.append(error)

    sys.excepthook = report
    faulthandler.enable()
    os.environ[RULE] = Path(log_path).parent.name
    logger = logging.getLogger("scarceseq")
    logger.info("%s %.2f s", READY, seconds_since_start())
    if earlier:
        logger.info("%s %.0f s", EARLIER, earlier)

    def end() -> None:
        if not failed:
            attempt.unlink(missing_ok=True)

    if not append:
        atexit.register(end)


class Touch(logging.Handler):
    """Sets the time of a file to that of each record, so that a killed attempt tells until when it lived."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Set the time; the file may be gone."""
        with contextlib.suppress(OSError):
            os.utime(self.path)


def begin_attempt(path: Path) -> float:
    """Note that an attempt at a job begins; seconds of those before it, if the last of them did not succeed.

    The file beside the log, which Snakemake deletes, holds when the attempt began and what was before it.
    """
    before = 0.0
    with contextlib.suppress(OSError, ValueError):
        began, earlier = (float(word) for word in path.read_text().split())
        before = max(path.stat().st_mtime - began, 0.0) + earlier
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{time.time()} {before}")
    return before


def earlier_seconds(text: str) -> float:
    """Seconds of failed attempts before the one whose log this is."""
    said = re.search(rf"{EARLIER} ([0-9.]+) s", text)
    return float(said[1]) if said else 0.0


def seconds_since_start() -> float:
    """Seconds since this process began: interpreter and imports so far; NaN where the system has no /proc."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        return float("nan")


def keep_freed_memory() -> None:
    """Stop glibc from handing large blocks back after each tensor, which costs more than the arithmetic on CPU.

    Harmless elsewhere. Resident memory stays at its peak.
    """
    mmap_max, trim_threshold = -4, -1  # glibc's malloc.h
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)
    except (OSError, AttributeError):
        logging.getLogger(__name__).debug("this C library has no mallopt")


def commit(folder: str | Path = Path(__file__).parent) -> str | None:
    """Git commit of the working tree that holds `folder`, by default this file's, with '+ changes' if tracked files
    differ; None elsewhere.
    """
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty= + changes", "--abbrev=12", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
