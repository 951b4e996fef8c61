"""Content hash of a rule's script and of every module of this package that it can run.

Snakemake's own code trigger compares the script's modification time and never sees imported modules. Here the imports
are followed statically. A registry (``registry.load("guide.meta", name)``) counts entry by entry: only the entry
that a job names is part of that job's hash. Comments, docstrings and annotations do not count, nor do config keys (see
`scarceseq.keys`): what they say comes to a job by its parameters.
"""

import ast
import atexit
import contextlib
import functools
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from scarceseq.files import atomic

PACKAGE = "scarceseq"
BODIES = ("body", "orelse", "finalbody", "handlers", "cases")
PARSED = platformdirs.user_cache_path(PACKAGE) / "parsed.json"
"""What counts of each file, by the hash of its bytes: to parse 400 files takes as long as the rest of planning."""
MOST_PARSED = 10_000


@dataclass(frozen=True)
class Source:
    """What counts of a file: hash of its content, modules of the package that it imports, registries it loads from."""

    content: str
    modules: list[str] = field(default_factory=list)
    registries: list[str] = field(default_factory=list)


def fingerprint(script: Path, entries: dict[str, list[str]] | None = None) -> str:
    """Hash of a script and of what it imports from the package, transitively; 16 hexadecimal digits.

    Parameters
    ----------
    script : path
        A rule's script; the package lies beside it.
    entries : dict of str to list of str, optional
        The entries that the job uses, for each registry (``{"fewshot.fine_tuning": ["scratch"]}``), none where the
        list is empty. A registry that the code loads from and that is not named here counts with all its entries.
    """
    files = source_files(Path(script), entries or {})
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: path.as_posix()):
        if content := _read(path, path.stat().st_mtime_ns).content:
            digest.update(path.relative_to(Path(script).parent).as_posix().encode() + b"\0" + content.encode())
    return digest.hexdigest()[:16]


def source_files(script: Path, entries: dict[str, list[str]]) -> set[Path]:
    """Files that the hash covers: the script, modules, registry entries, and data files beside the modules."""
    root = script.parent
    files, waiting, resolved, folders = set(), [script], set(), {root}
    while waiting:
        path = waiting.pop()
        if path in files or not path.exists():
            continue
        files.add(path)
        if path.suffix != ".py":
            continue
        source = _read(path, path.stat().st_mtime_ns)
        modules = set(source.modules)
        for registry in source.registries:
            folder = root / PACKAGE / registry.replace(".", "/")
            names = entries.get(registry, [file.stem for file in folder.glob("*.py") if file.stem != "__init__"])
            modules |= {f"{PACKAGE}.{registry}.{name}" for name in names}
        for module in modules - resolved:
            waiting.extend(_module_files(root, module))
        resolved |= modules
        if path != script and path.parent not in folders:
            folders.add(path.parent)
            waiting.extend(item for item in path.parent.iterdir() if item.suffix not in (".py", ".pyc", "", ".tmp"))
    return files


@functools.cache
def _module_files(root: Path, module: str) -> list[Path]:
    """The module's file and the ``__init__.py`` of each package on the way to it."""
    place, files = root, []
    for name in module.split("."):
        place = place / name
        files += [path for path in (place / "__init__.py", place.with_name(f"{name}.py")) if path.exists()][:1]
    return files


@functools.cache
def _read(path: Path, _modified: int) -> Source:
    """A file, read once as long as its time of change (ns) stays."""
    data = path.read_bytes()
    if path.suffix != ".py":
        return Source(hashlib.sha256(data).hexdigest())
    key = hashlib.sha256(_reader() + path.name.encode() + b"\0" + data).hexdigest()
    parsed = _parsed()
    if key not in parsed:
        parsed[key] = asdict(_parse(data, path))
    return Source(**parsed[key])


def _parse(data: bytes, path: Path) -> Source:
    tree = ast.parse(data, str(path))
    modules, registries = _imports(tree), _registries(tree) if b"registry" in data else set()
    content = _content(tree, path.name)
    return Source(hashlib.sha256(content).hexdigest() if content else "", sorted(modules), sorted(registries))


@functools.cache
def _reader() -> bytes:
    """What a parsed file depends on besides its bytes: this module and the version of Python."""
    return hashlib.sha256(Path(__file__).read_bytes() + sys.version.encode()).digest()


@functools.cache
def _parsed() -> dict[str, dict[str, Any]]:
    """`PARSED` as earlier plannings left it; what this one adds is written when the process ends."""
    try:
        parsed = json.loads(PARSED.read_text())
    except (OSError, ValueError):
        parsed = None
    parsed = parsed if isinstance(parsed, dict) else {}
    atexit.register(_keep, parsed, len(parsed))
    return parsed


def _keep(parsed: dict[str, dict[str, Any]], before: int) -> None:
    """Write `PARSED` if it has grown, its oldest files left out; where that is not possible, the next one parses."""
    if len(parsed) > before and PARSED.is_absolute():
        with contextlib.suppress(OSError), atomic(PARSED) as temporary:
            temporary.write_text(json.dumps(dict(list(parsed.items())[-MOST_PARSED:])))


def _imports(tree: ast.Module) -> set[str]:
    """Names of package modules that a file imports."""
    modules = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            modules.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in modules if name.split(".")[0] == PACKAGE}


def _registries(tree: ast.Module) -> set[str]:
    """Registries that a file loads from."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_registry_load(node))
    return {call.args[0].value for call in calls}  # type: ignore[attr-defined]


def _statements(node: Any) -> Iterator[Any]:
    """A node and all statements below it, whose expressions, of which there are many more, are passed by."""
    yield node
    for name in BODIES:
        for below in getattr(node, name, ()):
            yield from _statements(below)


def _is_registry_load(call: ast.Call) -> bool:
    function = call.func
    called = (
        isinstance(function, ast.Attribute)
        and function.attr == "load"
        and isinstance(function.value, ast.Name)
        and function.value.id == "registry"
    )
    if called and not (call.args and isinstance(call.args[0], ast.Constant)):
        raise ValueError(f"line {call.lineno}: registry.load needs the registry's name as a literal string")
    return called


def _content(tree: ast.Module, name: str) -> bytes:
    """A Python file without comments, docstrings, annotations and layout, settings without keys."""
    if name == "settings.py":
        tree.body = [node for node in map(_without_keys, tree.body) if node is not None]
    for node in _statements(tree):
        _strip(node)
    return ast.unparse(tree).encode()


def _without_keys(node: ast.stmt) -> ast.stmt | None:
    """A statement of a settings module as far as a job runs it: no imports, which serve the types, and no keys."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return None
    if isinstance(node, ast.ClassDef):
        pairs = list(zip(node.body, [*node.body[1:], None], strict=True))
        keys = [each for each, below in pairs if isinstance(each, ast.AnnAssign) and _is_text(below)]
        node.body = [each for each in node.body if each not in keys and not _is_text(each)]
        return node if node.body or not keys else None
    return node


def _strip(node: Any) -> None:
    """Take docstrings and annotations out of a statement; what is left empty passes."""
    if isinstance(getattr(node, "body", None), list):
        node.body = [each for each in node.body if not _is_text(each)]
        if not node.body and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]
    if isinstance(node, ast.AnnAssign):
        node.annotation = ast.Constant(None)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        node.returns = None
        given = node.args
        for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
            if argument is not None:
                argument.annotation = None


def _is_text(node: ast.AST | None) -> bool:
    """Whether a statement is a string alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
