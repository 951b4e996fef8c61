"""Registries: one file per entry, found by name, so that adding an entry touches no other file."""

import importlib
import pkgutil

from scarceseq.errors import InputError


def names(registry):
    """Names of the entries of a registry such as ``"fewshot.methods"``, sorted."""
    package = importlib.import_module(f"scarceseq.{registry}")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def load(registry, name):
    """Module of one entry.

    Raises
    ------
    InputError
        If the registry has no entry of that name; the message lists those it has.
    """
    known = names(registry)
    if name not in known:
        raise InputError(f"{registry}: there is no entry '{name}'; known entries: {', '.join(known)}")
    return importlib.import_module(f"scarceseq.{registry}.{name}")
