"""One answer of a server or a folder, written to a file within bounds: of size, of time, of where it may come from."""

import io
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

import requests
import urllib3

from scarceseq.archive.settings import DownloadSettings
from scarceseq.errors import DownloadError

CHUNK_BYTES = 1 << 18
RETRIED_STATUS = (408, 425, 429, 500, 502, 503, 504)
OBJECT_STORE = "amazonaws.com"
MOST_REDIRECTS = 10
# Of an answer that only points elsewhere: read, so that the connection can be kept.
REDIRECT_BYTES = 1 << 16
LONGEST_LENGTH = 18  # digits of a Content-Length


class MissingError(DownloadError):
    """The mirrors agree that there is no such file."""


class DamagedError(DownloadError):
    """A file arrived, and is not what it should be."""


class OverLimitError(DamagedError):
    """An answer is too large, too slow, or comes from where it must not: the same again when asked again."""


@dataclass(frozen=True)
class Limits:
    """How large a file may be as it arrives, and how long it may take from the first byte to the last.

    The least bytes per second are an average, after the seconds of grace.
    """

    body_bytes: int = 64 << 30
    seconds: float = 24 * 3600.0
    least_bytes_per_second: float = 1000.0
    grace_seconds: float = 60.0


class FolderAdapter(requests.adapters.HTTPAdapter):
    """Serves ``file://`` URLs to a `requests` session as an HTTP server would."""

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        """Answer 200 with the file's bytes, or 404; what is no plain file, as a device or a pipe, is not there."""
        path = Path(url2pathname(urlsplit(str(request.url)).path))
        body: io.BufferedIOBase = io.BytesIO()
        status, headers = 404, {}
        try:
            facts = path.stat()
            if stat.S_ISREG(facts.st_mode):
                body, status, headers = path.open("rb"), 200, {"Content-Length": str(facts.st_size)}
        except (FileNotFoundError, NotADirectoryError):
            pass
        answer = urllib3.HTTPResponse(body, headers=headers, status=status, preload_content=False)
        return self.build_response(request, answer)


class Session(requests.Session):
    """Asks the environment about proxies and certificates once for each server, not for each file."""

    def __init__(self) -> None:
        super().__init__()
        self._settings = {}

    def merge_environment_settings(self, url: str, *options: Any) -> dict[str, Any]:
        """As of `requests.Session`; the options of our requests never differ."""
        server = urlsplit(url)[:2]
        if server not in self._settings:
            self._settings[server] = super().merge_environment_settings(url, *options)
        return self._settings[server]


def make_session(settings: DownloadSettings) -> Session:
    """Session with kept connections that retries with back-off and jitter and heeds ``Retry-After``."""
    retry = urllib3.Retry(
        total=settings.retries,
        status_forcelist=RETRIED_STATUS,
        backoff_factor=settings.backoff_seconds,
        backoff_jitter=settings.backoff_seconds,
        retry_after_max=600,
        raise_on_status=False,
    )
    session = Session()
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=settings.connections, max_retries=retry)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.mount("file://", FolderAdapter())
    session.headers["Accept-Encoding"] = "identity"
    return session


def download(session: Session, url: str, target: Path, timeout_seconds: float, limits: Limits) -> str:
    """Write the body of one answer to `target`, byte for byte.

    Returns
    -------
    str
        Address that the body came from, behind all redirects.

    Raises
    ------
    MissingError
        For status 404 or 410, and for 403 from an object store, which hides absence behind it.
    DamagedError
        If the body ends before the announced length, or that is no number.
    OverLimitError
        If the body breaks a limit, or a redirect leads where it must not.
    DownloadError
        For any other status, and when there is no answer.
    """
    try:
        final_url, answer = _ask(session, url, timeout_seconds)
        with answer:
            _check_status(final_url, answer.status_code)
            announced = _announced_bytes(answer.headers, limits)
            received = _write_body(answer.raw, target, limits)
    except (urllib3.exceptions.InvalidHeader, requests.exceptions.InvalidHeader) as error:
        raise DamagedError(str(error)) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise DownloadError(str(error)) from error
    except ValueError as error:  # as of addresses that are none, out of the libraries
        raise DamagedError(f"an answer that cannot be read ({error})") from error
    if announced is not None and received != announced:
        raise DamagedError(f"{received} bytes arrived, {announced} were announced")
    return final_url


def _ask(session: requests.Session, url: str, timeout_seconds: float) -> tuple[str, requests.Response]:
    """(final address, answer); redirects keep to http and https, and never leave https."""
    for _ in range(MOST_REDIRECTS + 1):
        answer = session.get(url, stream=True, timeout=timeout_seconds, allow_redirects=False)
        location = session.get_redirect_target(answer)
        if location is None:
            return url, answer
        answer.raw.read(REDIRECT_BYTES, decode_content=False)
        answer.close()
        following = urljoin(url, location)
        before, after = urlsplit(url).scheme, urlsplit(following).scheme
        if after not in ("http", "https") or (before, after) == ("https", "http"):
            raise OverLimitError(f"a redirect leads from {before} to {following[:200]!r}, which is not followed")
        url = following
    raise OverLimitError(f"over {MOST_REDIRECTS} redirects")


def _check_status(url: str, status: int) -> None:
    hidden = status == 403 and (urlsplit(url).hostname or "").endswith(OBJECT_STORE)
    if status in (404, 410) or hidden:
        raise MissingError(f"status {status}")
    if status != 200:
        raise DownloadError(f"status {status}")


def _announced_bytes(headers: Mapping[str, str], limits: Limits) -> int | None:
    text = headers.get("Content-Length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_LENGTH):
        raise DamagedError(f"the announced length {text[:LONGEST_LENGTH]!r} is no number of bytes")
    if int(text) > limits.body_bytes:
        raise OverLimitError(f"{text} bytes are announced, more than the limit of {limits.body_bytes}")
    return int(text)


def _write_body(raw: urllib3.HTTPResponse, target: Path, limits: Limits) -> int:
    received, start = 0, time.monotonic()
    with open(target, "wb") as handle:
        try:
            # Whatever has come, without waiting for a whole chunk: a slow server is noticed.
            while chunk := raw.read1(CHUNK_BYTES, decode_content=False):
                received += handle.write(chunk)
                _check_limits(received, time.monotonic() - start, limits)
        except urllib3.exceptions.HTTPError as error:
            raise DamagedError(f"the body broke off after {received} bytes ({error})") from error
    return received


def _check_limits(received: int, seconds: float, limits: Limits) -> None:
    if received > limits.body_bytes:
        raise OverLimitError(f"the body goes on after the limit of {limits.body_bytes} bytes")
    if seconds > limits.seconds:
        raise OverLimitError(f"the body takes longer than the limit of {limits.seconds:g} seconds")
    if seconds > limits.grace_seconds and received < limits.least_bytes_per_second * seconds:
        raise OverLimitError(
            f"{received} bytes in {seconds:.0f} seconds, less than {limits.least_bytes_per_second:g} a second"
        )
