"""Registries: one file per entry, found by name, so that adding an entry touches no other file."""

import ast
import functools
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from scarceseq.errors import InputError


def names(registry: str) -> list[str]:
    """Names of the entries of a registry such as ``"guide.meta"``, sorted."""
    folder = Path(importlib.import_module(f"scarceseq.{registry}").__path__[0])
    return list(_names(folder, folder.stat().st_mtime_ns))


@functools.cache
def _names(folder: Path, _modified: int) -> tuple[str, ...]:
    """Modules in a folder, looked up once as long as its time of change (ns) stays."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules([str(folder)])))


def load(registry: str, name: str) -> ModuleType:
    """Module of one entry; `InputError` if there is none of that name, whose message lists those that there are."""
    check(registry, name)
    return importlib.import_module(f"scarceseq.{registry}.{name}")


def check(registry: str, name: str) -> None:
    """Raise `InputError` unless the registry has the entry."""
    if name not in names(registry):
        raise InputError(f"{registry}: there is no entry '{name}'; known entries: {', '.join(names(registry))}")


def declared(registry: str, name: str, constant: str, default: Any = ...) -> Any:
    """Value that an entry's source gives to a constant, read without importing the entry and what it needs.

    Where it assigns none, the value is `default`; `InputError` if there is none, or what is assigned is no literal.
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
