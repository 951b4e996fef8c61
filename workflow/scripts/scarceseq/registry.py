"""Registries: one file per entry, found by name, so that adding an entry touches no other file."""

import ast
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
    package = importlib.import_module(f"scarceseq.{registry}")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


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
    for node in ast.parse(path.read_text(), str(path)).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == constant:
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                break
    else:
        if default is not ...:
            return default
    raise InputError(f"{path}: {constant} must be assigned a literal")
