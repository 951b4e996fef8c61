"""When a file counts as absent. Oracle: what is known of the three public mirrors."""

import pytest
from scarceseq.archive.download import MissingError, make_session
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.settings import DownloadSettings
from scarceseq.errors import DownloadError

STORE = "https://recount-opendata.s3.amazonaws.com/recount3/release"
SERVER = "https://data.idies.jhu.edu/recount3/data"
REDIRECTOR = "http://duffel.rail.bio/recount3"
SETTINGS = DownloadSettings(connections=2, retries=1, backoff_seconds=0.01, timeout_seconds=5)


@pytest.mark.parametrize(
    ("addresses", "missing_at", "absent"),
    [
        ([STORE, SERVER], [STORE], True),
        ([SERVER, REDIRECTOR], [SERVER, REDIRECTOR], True),
        ([SERVER], [SERVER], True),
        ([REDIRECTOR], [REDIRECTOR], False),
        ([SERVER, REDIRECTOR], [REDIRECTOR], False),
        ([SERVER, REDIRECTOR], [SERVER], False),
        ([STORE, SERVER, REDIRECTOR], [], False),
    ],
)
def test_an_object_store_or_two_servers_are_believed_and_a_redirector_alone_is_not(
    monkeypatch, tmp_path, addresses, missing_at, absent
):
    def answer(self, url, target, verify, limits):
        raise MissingError("404") if any(url.startswith(base) for base in missing_at) else DownloadError("503")

    monkeypatch.setattr(Mirrors, "_try_mirror", answer)
    with pytest.raises(DownloadError) as caught:
        Mirrors(addresses, SETTINGS).fetch("mouse/x.gz", tmp_path / "x", lambda path: None)
    assert isinstance(caught.value, MissingError) == absent


def test_certificates_are_verified():
    assert make_session(SETTINGS).verify is True
