"""Registries: one file per entry, found by name, so that adding an entry touches no other file."""

import ast
import functools
import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

from scarceseq.errors import InputError

if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def names(registry: str) -> list[str]:
    """Names of the entries of a registry such as ``"guide.meta"``, sorted."""
    folder = Path(importlib.import_module(f"scarceseq.{registry}").__path__[0])
    return list(_names(folder, folder.stat().st_mtime_ns))


@functools.cache
def _names(folder: Path, _modified: int) -> tuple[str, ...]:
    """Modules in a folder, looked up once as long as its time of change (ns) stays."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules([str(folder)])))


def load(registry: str, name: str) -> "ModuleType":
    """Module of one entry.

    Raises
    ------
    InputError
        If the registry has no entry of that name; the message lists those it has.
    """
    check(registry, name)
    return importlib.import_module(f"scarceseq.{registry}.{name}")


def check(registry: str, name: str) -> None:
    """Raise `InputError` unless the registry has the entry."""
    known = names(registry)
    if name not in known:
        raise InputError(f"{registry}: there is no entry '{name}'; known entries: {', '.join(known)}")


def declared(registry: str, name: str, constant: str, default: "Any" = ...) -> "Any":
    """Value that an entry's source gives to a constant, read without importing the entry and what it needs.

    Parameters
    ----------
    registry, name : str
        As for `load`.
    constant : str
        For example ``"NEEDS"``; the source must assign it a literal.
    default : optional
        Value where the source assigns none.

    Raises
    ------
    InputError
        If there is no such entry, or it does not assign a literal.
    """
    check(registry, name)
    path = Path(__file__).parent.joinpath(*registry.split("."), f"{name}.py")
    value = _assigned(path, path.stat().st_mtime_ns).get(constant)
    if value is None and default is not ...:
        return default
    try:
        return ast.literal_eval(value)  # type: ignore[arg-type]
    except ValueError:
        raise InputError(f"{path}: {constant} must be assigned a literal") from None


@functools.cache
def _assigned(path: Path, _modified: int) -> dict[str, ast.expr]:
    """What a module assigns to single names, read once as long as its time of change (ns) stays."""
    tree = ast.parse(path.read_text(), str(path))
    nodes = [node for node in tree.body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: node.value for node in nodes if isinstance(node.targets[0], ast.Name)}
