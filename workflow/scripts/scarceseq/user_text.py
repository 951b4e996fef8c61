"""A text file of the user as lines, however it was packed and encoded."""

import bz2
import contextlib
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, TextIO

from scarceseq.errors import InputError

# What a file begins with if it is no text at all; what to say of it.
OTHER_FORMATS = (
    (b"\xd0\xcf\x11\xe0", "is a workbook of Excel: save the sheet as tab- or comma-separated text"),
    (b"\x89HDF", "is an HDF5 file (.h5ad, .h5), not a text table: give it under a name that ends in .h5ad"),
    (b"PAR1", "is a Parquet file: give it under a name that ends in .parquet"),
    (b"X\n\x00\x00", 'holds R objects, which are not read: in R, write.table(x, "x.tsv", sep = "\\t", quote = FALSE)'),
    (b"RDX", 'holds R objects, which are not read: in R, write.table(x, "x.tsv", sep = "\\t", quote = FALSE)'),
    (b"%PDF", "is a PDF, not a table"),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file: fetch it with git lfs pull"),
    (b"<!doctype html", "is a web page, not a table: download the file itself"),
    (b"<html", "is a web page, not a table: download the file itself"),
    (b"\x28\xb5\x2f\xfd", "is packed with zstd: unpack it, or pack it with gzip"),
    (b"7z\xbc\xaf", "is packed with 7-Zip: unpack it, or pack it with gzip"),
    (b"Rar!", "is packed with RAR: unpack it, or pack it with gzip"),
)
BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
BEGINNING = 4096
DEEPEST_PACKING = 3


@contextlib.contextmanager
def open_text(path: str | Path) -> Iterator[TextIO]:
    """Open a text for reading; a line ends with ``\\n`` here, whatever it ends with in the file.

    It may be in UTF-8, UTF-16 or UTF-32, plain or packed (gzip, bz2, xz, a zip of one file): its content says which,
    not its name. `InputError` if there is no such file, it is no text, is damaged, or is in another encoding.
    """
    with contextlib.ExitStack() as stack:
        try:
            stream = _unpacked(stack, path)
            encoding, mark = _encoding(stream.peek(BEGINNING)[:BEGINNING], path)
            stream.read(mark)
            yield io.TextIOWrapper(stream, encoding=encoding, errors="strict", newline=None)
        except UnicodeDecodeError as error:
            raise InputError(f"{path} {_not_in(error)}") from error
        except DAMAGE as error:
            raise InputError(f"{path} cannot be read as a table ({error}): check that it is there and whole") from error


def read_text(path: str | Path) -> str:
    """Whole text of a file, see `open_text`."""
    with open_text(path) as handle:
        text = handle.read()
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise InputError(f"{path} is no text: line {line} holds a zero byte; save the table as UTF-8 text")
    return text


def _unpacked(stack: contextlib.ExitStack, path: str | Path) -> io.BufferedReader:
    """Bytes of a file, unpacked as its first bytes say."""
    stream: io.BufferedReader = stack.enter_context(open(path, "rb"))  # noqa: SIM115
    for _ in range(DEEPEST_PACKING):
        first = stream.peek(BEGINNING)[:BEGINNING]
        if first.startswith(b"\x1f\x8b"):
            inner: Any = gzip.GzipFile(fileobj=stream)
        elif re.match(rb"BZh[1-9]\x31\x41\x59\x26\x53\x59", first):
            inner = bz2.BZ2File(stream)
        elif first.startswith(b"\xfd7zXZ\x00"):
            inner = lzma.LZMAFile(stream)  # noqa: SIM115
        elif first.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            inner = _only_member(stack, stream, path)
        else:
            break
        stream = stack.enter_context(io.BufferedReader(stack.enter_context(inner)))
    first = stream.peek(BEGINNING)[:BEGINNING]
    for beginning, advice in OTHER_FORMATS:
        if first.lstrip().lower().startswith(beginning) or first.startswith(beginning):
            raise InputError(f"{path} {advice}")
    return stream


def _only_member(stack: contextlib.ExitStack, stream: io.BufferedReader, path: str | Path) -> IO[bytes]:
    """The one file of a zip archive."""
    archive = stack.enter_context(zipfile.ZipFile(stream))
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise InputError(f"{path} is a workbook: save the sheet as tab- or comma-separated text")
    if len(names) != 1:
        raise InputError(f"{path} is a zip archive of {len(names)} files: unpack it and give the table itself")
    if archive.getinfo(names[0]).flag_bits & 1:
        raise InputError(f"{path} is a zip archive with a password: unpack it and give the table itself")
    return stack.enter_context(archive.open(names[0]))


def _encoding(first: bytes, path: str | Path) -> tuple[str, int]:
    """Encoding of a text, and the length of its byte order mark; without one, ASCII's zero bytes give UTF-16 away."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if first.startswith(mark):
            return encoding, len(mark)
    zeros = [first[start::2].count(0) / max(len(first[start::2]), 1) for start in (0, 1)]
    if max(zeros) > 0.4 and min(zeros) == 0:
        return ("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"), 0
    if b"\x00" in first:
        raise InputError(f"{path} is no text (it holds zero bytes): save the table as UTF-8 text")
    return "utf-8", 0


def _not_in(error: UnicodeDecodeError) -> str:
    """What to do about a text that is not in the encoding that it seems to be in."""
    if error.encoding != "utf-8":
        return f"begins as {error.encoding} and breaks off amid a character: it is cut short, save it again"
    byte = error.object[error.start]
    around = error.object[max(error.start - 20, 0) : error.start + 20].decode("windows-1252", errors="replace")
    return (
        f"is not UTF-8 (byte 0x{byte:02x} in '{' '.join(around.split())}'), probably Windows-1252 or Latin-1: save it "
        "as UTF-8 (in Excel 'CSV UTF-8'), or convert it with iconv -f WINDOWS-1252 -t UTF-8"
    )
