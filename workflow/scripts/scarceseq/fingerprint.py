"""Content hash of a rule's script and of every module of this package that it can run.

Snakemake's own code trigger compares the script's modification time and never sees imported modules. Here the imports
are followed statically. A registry (``registry.load("fewshot.methods", name)``) counts entry by entry: only the entry
that a job names is part of that job's hash. Comments and docstrings do not count.
"""

import ast
import functools
import hashlib
from pathlib import Path

PACKAGE = "scarceseq"


def fingerprint(script, entries=None):
    """Hash of a script and of what it imports from the package, transitively.

    Parameters
    ----------
    script : path
        A rule's script; the package lies beside it.
    entries : dict of str to list of str, optional
        The entries that the job uses, for each registry (``{"fewshot.methods": ["scratch"]}``). A registry that the
        code loads from and that is not named here counts with all its entries.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    files = source_files(Path(script), entries or {})
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: path.as_posix()):
        digest.update(path.relative_to(Path(script).parent).as_posix().encode() + b"\0")
        digest.update(_content(path, path.stat().st_mtime_ns))
    return digest.hexdigest()[:16]


def source_files(script, entries):
    """Files that the hash covers: the script, modules, registry entries, and data files beside the modules."""
    root = script.parent
    found, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path in found or not path.exists():
            continue
        found.add(path)
        if path.suffix != ".py":
            continue
        modules, registries = _references(path, path.stat().st_mtime_ns)
        for registry in registries:
            folder = root / PACKAGE / registry.replace(".", "/")
            names = entries.get(registry) or [entry.stem for entry in folder.glob("*.py") if entry.stem != "__init__"]
            modules = modules | {f"{PACKAGE}.{registry}.{name}" for name in names}
        for module in modules:
            waiting.extend(_module_files(root, module))
        if path != script:
            waiting.extend(item for item in path.parent.iterdir() if item.suffix not in (".py", ".pyc", "", ".tmp"))
    return found


def _module_files(root, module):
    """The module's file and the ``__init__.py`` of each package on the way to it."""
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        path = root.joinpath(*parts[:depth])
        if (path / "__init__.py").exists():
            yield path / "__init__.py"
        elif path.with_suffix(".py").exists():
            yield path.with_suffix(".py")


@functools.cache
def _references(path, _modified):
    """Names of package modules that a file imports, and of registries that it loads from."""
    modules, registries = set(), set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            modules.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _is_registry_load(node):
            registries.add(node.args[0].value)  # type: ignore[attr-defined]
    return frozenset(name for name in modules if name.split(".")[0] == PACKAGE), frozenset(registries)


def _is_registry_load(call):
    function = call.func
    called = (
        isinstance(function, ast.Attribute)
        and function.attr == "load"
        and isinstance(function.value, ast.Name)
        and function.value.id == "registry"
    )
    if called and not (call.args and isinstance(call.args[0], ast.Constant)):
        raise ValueError(f"line {call.lineno}: registry.{function.attr} needs the registry's name as a literal string")
    return called


@functools.cache
def _content(path, _modified):
    """Bytes of a file; a Python file without comments, docstrings and layout."""
    if path.suffix != ".py":
        return path.read_bytes()
    tree = ast.parse(path.read_text(), str(path))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            node.body = body[1:] or [ast.Pass()]
    return ast.unparse(tree).encode()
