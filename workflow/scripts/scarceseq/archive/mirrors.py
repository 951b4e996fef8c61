"""Getting bytes from mirrors: HTTP(S) servers and local folders, through the same code."""

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
import urllib3

from scarceseq.errors import DownloadError
from scarceseq.seeds import derive

log = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 18
RETRIED_STATUS = (408, 425, 429, 500, 502, 503, 504)
# Answers 404 for every file while the server behind it is down, so its 404 proves nothing.
REDIRECTORS = ("duffel.rail.bio",)
OBJECT_STORE = "amazonaws.com"


class MissingError(DownloadError):
    """The mirrors agree that there is no such file."""


class DamagedError(DownloadError):
    """A file arrived, and is not what it should be."""


@dataclass(frozen=True)
class DownloadSettings:
    """Config section ``archive.download``.

    Attributes
    ----------
    connections : int
        Studies fetched at once.
    retries : int
        Further tries at one mirror after an error that may pass.
    backoff_seconds : float
        Wait before the first retry; doubles with each further one, plus jitter.
    timeout_seconds : float
        For connecting, and for each wait for data.
    """

    connections: int
    retries: int
    backoff_seconds: float
    timeout_seconds: float


class FolderAdapter(requests.adapters.HTTPAdapter):
    """Serves ``file://`` URLs to a `requests` session as an HTTP server would."""

    def send(self, request, **options):
        """Answer 200 with the file's bytes, or 404."""
        path = Path(url2pathname(urlsplit(request.url).path))
        try:
            headers = {"Content-Length": str(path.stat().st_size)}
            body, status = path.open("rb"), 200
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            body, status, headers = b"", 404, {}
        answer = urllib3.HTTPResponse(body, headers=headers, status=status, preload_content=False)
        return self.build_response(request, answer)


class Session(requests.Session):
    """Asks the environment about proxies and certificates once for each server, not for each file."""

    def __init__(self):
        super().__init__()
        self._settings = {}

    def merge_environment_settings(self, url, *options):
        """As of `requests.Session`; the options of our requests never differ."""
        server = urlsplit(url)[:2]
        if server not in self._settings:
            self._settings[server] = super().merge_environment_settings(url, *options)
        return self._settings[server]


class Mirrors:
    """Mirrors of one archive, tried in order.

    Parameters
    ----------
    addresses : list of str
        ``https://``, ``http://`` or ``file://`` URLs, or plain paths of folders.
    settings : DownloadSettings
    """

    def __init__(self, addresses, settings):
        self.bases = [as_url(address) for address in addresses]
        self.settings = settings
        self._local = threading.local()

    @property
    def session(self):
        """This thread's session: connections are kept open between requests."""
        if not hasattr(self._local, "session"):
            self._local.session = make_session(self.settings)
        return self._local.session

    def fetch(self, path, target, verify):
        """Download one file into `target` from the first mirror whose copy verifies.

        Parameters
        ----------
        path : str
            Below the mirrors' base.
        target : path
            A temporary file; what it holds after an error is worthless.
        verify : callable
            ``verify(target)`` returns what is to be known of a good file and raises `DamagedError` for a bad one.

        Returns
        -------
        url : str
        verified : object
            What `verify` returned.

        Raises
        ------
        MissingError
            If it is certain that no mirror has the file.
        DamagedError
            If a copy arrived, and none verifies.
        DownloadError
            If no mirror could be reached.
        """
        missing, damaged, problems = [], [], []
        for base in self.bases:
            url = f"{base}/{path}"
            try:
                return url, self._try_mirror(url, target, verify)
            except MissingError as error:
                missing.append(base)
                told = error
            except DamagedError as error:
                damaged.append(base)
                told = error
            except DownloadError as error:
                told = error
            problems.append(f"{url}: {told}")
        if self._certainly_missing(missing):
            raise MissingError("; ".join(problems))
        raise (DamagedError if damaged else DownloadError)("; ".join(problems))

    def _try_mirror(self, url, target, verify):
        for attempt in range(self.settings.retries + 1):
            try:
                download(self.session, url, target, self.settings.timeout_seconds)
                return verify(target)
            except MissingError:
                raise
            except DownloadError as error:
                # The session has already retried what never became an answer.
                final = url.startswith("file://") or not isinstance(error, DamagedError)
                if final or attempt == self.settings.retries:
                    raise
                log.info("%s: %s; trying again", url, error)
                jitter = derive(0, url, attempt) / 2**63
                time.sleep(self.settings.backoff_seconds * 2**attempt * (1 + jitter))

    def _certainly_missing(self, bases):
        """A folder, an object store or two servers are believed; so is a single server, unless it only redirects."""
        hosts = [urlsplit(base).hostname or "" for base in bases]
        proven = any(
            base.startswith("file://") or host.endswith(OBJECT_STORE) for base, host in zip(bases, hosts, strict=True)
        )
        alone = len(self.bases) == 1 and len(bases) == 1 and hosts[0] not in REDIRECTORS
        return proven or alone or len(set(hosts)) >= 2


def as_url(address):
    """Base URL of a mirror, without a slash at its end; a plain path becomes a ``file://`` URL."""
    if urlsplit(address).scheme in ("http", "https", "file"):
        return address.rstrip("/")
    return Path(address).resolve().as_uri()


def make_session(settings):
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


def download(session, url, target, timeout_seconds):
    """Write the body of one answer to `target`, byte for byte.

    Raises
    ------
    MissingError
        For status 404 or 410, and for 403 from an object store, which hides absence behind it.
    DamagedError
        If the body ends before the announced length.
    DownloadError
        For any other status, and when there is no answer.
    """
    try:
        with session.get(url, stream=True, timeout=timeout_seconds) as answer:
            _check_status(url, answer.status_code)
            announced = answer.headers.get("Content-Length")
            received = _write_body(answer.raw, target)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise DownloadError(str(error)) from error
    if announced is not None and received != int(announced):
        raise DamagedError(f"{received} bytes arrived, {announced} were announced")


def _check_status(url, status):
    hidden = status == 403 and (urlsplit(url).hostname or "").endswith(OBJECT_STORE)
    if status in (404, 410) or hidden:
        raise MissingError(f"status {status}")
    if status != 200:
        raise DownloadError(f"status {status}")


def _write_body(raw, target):
    received = 0
    with open(target, "wb") as handle:
        try:
            for chunk in raw.stream(CHUNK_BYTES, decode_content=False):
                received += handle.write(chunk)
        except urllib3.exceptions.HTTPError as error:
            raise DamagedError(f"the body broke off after {received} bytes ({error})") from error
    return received
