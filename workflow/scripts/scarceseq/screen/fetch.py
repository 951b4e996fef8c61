"""Public screens by name: fetched, verified, and unpacked to an `.h5ad`.

Sizes and MD5 sums that are empty in `catalogue.tsv` are not known. Then the first fetch checks the file's format alone
and records its size and sum beside the screen, and every later fetch must give the same.
"""

import hashlib
import json
import logging
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from scarceseq.archive.download import DamagedError
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.settings import DownloadSettings
from scarceseq.errors import InputError
from scarceseq.files import atomic, read_table
from scarceseq.user_h5ad import MAGIC

log = logging.getLogger(__name__)

CATALOGUE = Path(__file__).with_name("catalogue.tsv")
# Times the size of a zip; a screen's packs to some tenth.
MOST_UNPACKED = 100
DOWNLOAD = DownloadSettings(
    connections=1, retries=4, backoff_seconds=2, timeout_seconds=60, longest_seconds=86400, least_bytes_per_second=1000
)


def catalogue() -> pd.DataFrame:
    """Public screens: url, bytes, md5, cells, licence and content, by name; what is not known is missing."""
    return read_table(CATALOGUE, dtype={"md5": str}).set_index("name")


def entry_of(name: str) -> pd.Series:
    """One screen of the catalogue; `InputError` if there is none of that name."""
    entries = catalogue()
    if name not in entries.index:
        raise InputError(f"'{name}' is no screen of the catalogue; it has {', '.join(entries.index)}")
    return entries.loc[name]


def fetch_screen(entry: Mapping[str, Any], target: str | Path, settings: DownloadSettings = DOWNLOAD) -> None:
    """Fetch a screen to `target`, an `.h5ad`, which appears only when it is complete and verified.

    The entry has url, bytes and md5, the last two missing where they are not known.

    Raises
    ------
    DownloadError
        If the server does not answer, or what arrives is not the file.
    """
    base, name = entry["url"].rsplit("/", 1)
    record = Path(target).with_suffix(".fetched.json")
    entry = expected(entry, record)
    with atomic(target, sealed=True) as temporary:
        packed = temporary.with_suffix(".part")
        try:
            # Somewhat more than it should be, so that a changed file is named as one.
            most = 2 * int(entry["bytes"]) + (1 << 20) if pd.notna(entry["bytes"]) else None
            fetched = Mirrors([base], settings).fetch(name, packed, lambda path: verify(path, entry), most)
            size = packed.stat().st_size
            unpack(packed, temporary)
        finally:
            packed.unlink(missing_ok=True)
    remark = "as expected" if pd.notna(entry["md5"]) else f"not known before; recorded in {record}"
    log.info("%s: %d bytes, md5 %s (%s)", fetched.final_url, size, fetched.verified, remark)
    with atomic(record) as temporary:
        kept = {"url": entry["url"], "final_url": fetched.final_url, "bytes": size, "md5": fetched.verified}
        temporary.write_text(json.dumps(kept) + "\n")


def expected(entry: Mapping[str, Any], record: Path) -> dict[str, Any]:
    """The entry with the size and sum of an earlier fetch from the same address, where the catalogue has none."""
    expectation = {key: entry[key] for key in ("url", "bytes", "md5")}
    if record.exists():
        earlier = json.loads(record.read_text())
        if earlier["url"] == expectation["url"]:
            expectation |= {key: earlier[key] for key in ("bytes", "md5") if pd.isna(expectation[key])}
    return expectation


def verify(path: str | Path, entry: Mapping[str, Any]) -> str:
    """MD5 sum of a good file, an `.h5ad` or a zip with one; `DamagedError` for another format, size or sum."""
    with open(path, "rb") as handle:
        head = handle.read(512)
        handle.seek(0)
        digest = hashlib.file_digest(handle, "md5").hexdigest()
    if head.lstrip()[:1] == b"<":
        raise DamagedError("a web page came in place of the data; the server refuses or is busy, try again later")
    if not head.startswith((MAGIC, b"PK")):
        raise DamagedError("neither an .h5ad nor a zip came")
    size = path.stat().st_size
    if pd.notna(entry["bytes"]) and size != int(entry["bytes"]):
        raise DamagedError(
            f"{size} bytes, not {int(entry['bytes'])}; if the publisher has changed the file, delete the .fetched.json "
            "beside it"
        )
    if pd.notna(entry["md5"]) and digest != entry["md5"]:
        raise DamagedError(
            f"md5 {digest}, not {entry['md5']}; if the publisher has changed the file, delete the .fetched.json beside "
            "it"
        )
    return digest


def unpack(packed: str | Path, target: str | Path) -> None:
    """Move an `.h5ad` to `target`, out of its zip if it is in one; `DamagedError` unless that holds exactly one."""
    if not zipfile.is_zipfile(packed):
        shutil.move(packed, target)
        return
    try:
        with zipfile.ZipFile(packed) as archive:
            members = [name for name in archive.namelist() if name.endswith(".h5ad") and "__MACOSX" not in name]
            if len(members) != 1:
                raise DamagedError(f"the zip has {len(members)} .h5ad files, one is expected")
            size = archive.getinfo(members[0]).file_size  # zipfile gives no byte more
            if size > MOST_UNPACKED * max(Path(packed).stat().st_size, 1 << 20):
                raise DamagedError(f"the zip would unpack to {size} bytes, over {MOST_UNPACKED} times its size")
            with archive.open(members[0]) as source, open(target, "wb") as handle:
                shutil.copyfileobj(source, handle, 1 << 20)
    except zipfile.BadZipFile as error:
        raise DamagedError(f"the zip is broken ({error})") from error
