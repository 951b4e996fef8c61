"""What every script does first: log to its file and to the terminal, say which rule it is of, keep freed memory."""

import atexit
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
from typing import TYPE_CHECKING

from scarceseq.seals import RULE

if TYPE_CHECKING:
    from types import TracebackType

# Begins the line of a log that says how long interpreter and imports took; the report adds them up.
READY = "started in"
# Ends the log of a job that succeeded, and says how long attempts before it took that did not.
ENDED, EARLIER = "ended after", "earlier attempts took"


def start(log_path: str, append: bool = False) -> None:
    """Send log records, warnings and an uncaught error's traceback to `log_path` and to standard error.

    Parameters
    ----------
    log_path : str
        The rule's log file.
    append : bool
        Whether what the file holds stays: of several processes of one rule, the first to start begins it.
    """
    earlier = 0.0 if append else seconds_of_attempts(Path(log_path))
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
    handlers: list[logging.Handler] = [
        logging.FileHandler(log_path, mode="a" if append else "w"),
        logging.StreamHandler(sys.stderr),
    ]
    for handler in handlers:
        handler.setFormatter(form)
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    for noisy in ("matplotlib", "fontTools", "numba", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

    failed: list[BaseException] = []

    def report(kind: type[BaseException], error: BaseException, traceback: "TracebackType | None") -> None:
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
            logger.info("%s %.2f s", ENDED, seconds_since_start())

    if not append:
        atexit.register(end)


def seconds_of_attempts(log: Path) -> float:
    """Seconds of the attempts at a job that its log tells of, if the last of them did not succeed; else 0.

    The last one counts from its first line to its last; a day or more is not told from less.
    """
    try:
        text, changed = log.read_text(errors="replace"), time.localtime(log.stat().st_mtime)
    except OSError:
        return 0.0
    began = re.match(r"(\d\d):(\d\d):(\d\d) ", text)
    if began is None or re.search(rf"^\S+ INFO {ENDED} ", text, re.MULTILINE):
        return 0.0
    hours, minutes, seconds = (int(part) for part in began.groups())
    last = (changed.tm_hour - hours) * 3600 + (changed.tm_min - minutes) * 60 + changed.tm_sec - seconds
    return last % 86400 + earlier_seconds(text)


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
