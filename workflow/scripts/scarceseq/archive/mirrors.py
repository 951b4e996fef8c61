"""Getting bytes from mirrors: HTTP(S) servers and local folders, through the same code."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scarceseq.archive.download import (
    OBJECT_STORE,
    DamagedError,
    Limits,
    MissingError,
    OverLimitError,
    download,
    make_session,
)
from scarceseq.archive.settings import DownloadSettings
from scarceseq.errors import DownloadError
from scarceseq.seeds import derive

log = logging.getLogger(__name__)

# Answers 404 for every file while the server behind it is down, so its 404 proves nothing.
REDIRECTORS = ("duffel.rail.bio",)


@dataclass(frozen=True)
class Fetched:
    """A good file: the mirror's address of it, where it came from behind redirects, and what its check returned."""

    url: str
    final_url: str
    verified: Any


class Mirrors:
    """Mirrors of one archive, tried in order: ``https://``, ``http://`` or ``file://`` URLs, or paths of folders."""

    def __init__(self, addresses: list[str], settings: DownloadSettings, limits: Limits | None = None) -> None:
        self.bases = [as_url(address) for address in addresses]
        self.settings = settings
        self.limits = limits or Limits(
            seconds=settings.longest_seconds, least_bytes_per_second=settings.least_bytes_per_second
        )
        self._local = threading.local()

    @property
    def session(self) -> Any:
        """This thread's session: connections are kept open between requests."""
        if not hasattr(self._local, "session"):
            self._local.session = make_session(self.settings)
        return self._local.session

    def fetch(self, path: str, target: Path, verify: Callable, body_bytes: int | None = None) -> Fetched:
        """Download one file into `target` from the first mirror whose copy verifies.

        Parameters
        ----------
        path : str
            Below the mirrors' base.
        target : path
            A temporary file; what it holds after an error is worthless.
        verify : callable
            ``verify(target)`` returns what is to be known of a good file and raises `DamagedError` for a bad one.
        body_bytes : int, optional
            Most bytes that a good file can have.

        Raises
        ------
        MissingError
            If it is certain that no mirror has the file.
        DamagedError
            If a copy arrived, and none verifies.
        DownloadError
            If no mirror could be reached.
        """
        limits = self.limits
        if body_bytes is not None:
            limits = replace(limits, body_bytes=min(body_bytes, limits.body_bytes))
        errors = []
        for base in self.bases:
            try:
                return self._try_mirror(f"{base}/{path}", target, verify, limits)
            except DownloadError as error:
                errors.append((base, error))
        problems = "; ".join(f"{base}/{path}: {error}" for base, error in errors)
        if self._certainly_missing([base for base, error in errors if isinstance(error, MissingError)]):
            raise MissingError(problems)
        damaged = any(isinstance(error, DamagedError) for _, error in errors)
        raise (DamagedError if damaged else DownloadError)(problems)

    def _try_mirror(self, url: str, target: Path, verify: Callable, limits: Limits) -> Any:
        for attempt in range(self.settings.retries + 1):
            try:
                final_url = download(self.session, url, target, self.settings.timeout_seconds, limits)
                return Fetched(url, final_url, verify(target))
            except (MissingError, OverLimitError):
                raise
            except DownloadError as error:
                # The session has already retried what never became an answer.
                final = url.startswith("file://") or not isinstance(error, DamagedError)
                if final or attempt == self.settings.retries:
                    raise
                log.info("%s: %s; trying again", url, error)
                jitter = derive(0, url, attempt) / 2**63
                time.sleep(self.settings.backoff_seconds * 2**attempt * (1 + jitter))

    def _certainly_missing(self, bases: Sequence[str]) -> bool:
        """A folder, an object store or two servers are believed; so is a single server, unless it only redirects."""
        hosts = [urlsplit(base).hostname or "" for base in bases]
        proven = any(
            base.startswith("file://") or host.endswith(OBJECT_STORE) for base, host in zip(bases, hosts, strict=True)
        )
        alone = len(self.bases) == 1 and len(bases) == 1 and hosts[0] not in REDIRECTORS
        return proven or alone or len(set(hosts)) >= 2


def as_url(address: str) -> str:
    """Base URL of a mirror, without a slash at its end; a plain path becomes a ``file://`` URL."""
    if urlsplit(address).scheme in ("http", "https", "file"):
        return address.rstrip("/")
    return Path(address).resolve().as_uri()
