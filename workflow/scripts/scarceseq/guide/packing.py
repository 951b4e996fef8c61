"""A model in one file, so that laboratories can exchange it: a zip of tensors, JSON and tables that runs no code.

The first member, ``manifest.json``, holds the size and the SHA-256 of every other one. Members are stored as they are,
in the order of their names and without dates, so that the same files give the same bytes.
"""

import errno
import hashlib
import json
import re
import stat
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from scarceseq.errors import InputError
from scarceseq.files import atomic, sha256, to_json

MANIFEST = "manifest.json"
FORMAT = "scarceseq model 1"
NAME = re.compile(r"[A-Za-z0-9_]+\.(safetensors|json|tsv)")
LARGEST_MANIFEST_BYTES = 1_000_000
BLOCK_BYTES = 1 << 20
DAY_ONE = (1980, 1, 1, 0, 0, 0)


def pack(members: Mapping[str, str | Path], path: str | Path) -> None:
    """Write an archive of files by their names in it, which have no folders and end in .safetensors, .json or .tsv.

    Raises InputError if a name may not be in an archive.
    """
    for name in members:
        _check_name(name, path)
    manifest = {name: {"bytes": Path(file).stat().st_size, "sha256": sha256(file)} for name, file in members.items()}
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member(MANIFEST), to_json({"format": FORMAT, "files": manifest}))
        for name in sorted(members):
            with open(members[name], "rb") as source, archive.open(_member(name), "w", force_zip64=True) as target:
                while block := source.read(BLOCK_BYTES):
                    target.write(block)


def unpack(path: str | Path, folder: Path, expected: Collection[str]) -> None:
    """Write the files of an archive into a folder; each appears there only if it is what the manifest says.

    The archive must hold the names `expected`; others that it may hold are left in it. Raises InputError if the file is
    no such archive, is damaged or was changed, or if a member has a name that could leave the folder, is a link, is
    missing, or is not in the manifest.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            missing = sorted(set(expected) - set(manifest))
            if missing:
                raise InputError(f"{path}: holds no {', '.join(missing)}; pack the model again")
            for name in sorted(expected):
                _extract(archive, name, manifest[name], path, Path(folder) / name)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # as a full disk, and no place before the file
            raise
        raise InputError(f"{path}: not a whole packed model ({error}); copy it again") from error


def _manifest(archive: zipfile.ZipFile, path: str | Path) -> dict[str, Any]:
    """What the manifest says of each file, once the members are those that it lists."""
    members = archive.infolist()
    names = [member.filename for member in members]
    for member in members:
        _check_name(member.filename, path)
        mode = member.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise InputError(f"{path}: '{member.filename}' is a link or no plain file; do not trust this archive")
        if member.compress_type != zipfile.ZIP_STORED:
            raise InputError(f"{path}: '{member.filename}' is compressed, as pack_model never does; pack it again")
    if len(set(names)) != len(names):
        raise InputError(f"{path}: a name is there twice; do not trust this archive")
    if MANIFEST not in names or archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST_BYTES:
        raise InputError(f"{path}: has no {MANIFEST}, so it was not made by pack_model")
    try:
        content = json.loads(archive.read(MANIFEST))
        files, form = dict(content["files"]), content["format"]
        listed = {name: (int(facts["bytes"]), str(facts["sha256"])) for name, facts in files.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: {MANIFEST} cannot be read ({error}); pack the model again") from error
    if form != FORMAT:
        raise InputError(f"{path}: is of the format '{form}', this version reads '{FORMAT}'")
    odd = sorted(set(listed) ^ (set(names) - {MANIFEST}))
    if odd:
        where = "missing from the archive" if odd[0] in listed else "not in its manifest"
        raise InputError(f"{path}: '{odd[0]}' is {where}; copy the archive again, or ask whoever packed it")
    return listed


def _extract(archive: zipfile.ZipFile, name: str, listed: Mapping[str, Any], path: str | Path, target: Path) -> None:
    """Write one member, hashed on the way."""
    size, expected = listed
    if archive.getinfo(name).file_size != size:
        raise InputError(f"{path}: '{name}' has not the {size} bytes of the manifest; copy the archive again")
    digest = hashlib.sha256()
    with atomic(target, sealed=True) as temporary, archive.open(name) as source, open(temporary, "wb") as output:
        while block := source.read(BLOCK_BYTES):
            digest.update(block)
            output.write(block)
        if digest.hexdigest() != expected:
            raise InputError(f"{path}: '{name}' is not what was packed (its SHA-256 differs); copy the archive again")


def _check_name(name: str, path: str | Path) -> None:
    if not NAME.fullmatch(name):
        raise InputError(
            f"{path}: a member is named {name!r}; only plain names of .safetensors, .json and .tsv files may be in a "
            "packed model"
        )


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, DAY_ONE)
    member.external_attr = (stat.S_IFREG | 0o644) << 16
    member.create_system = 3  # the same bytes on every system
    return member
