"""What the workflow needs to know of a selector before it runs; imports nothing heavy."""

import ast
from pathlib import Path

from scarceseq import registry
from scarceseq.errors import InputError


def needs_graph(name):
    """Whether a selector ranks by a graph, read from its source without importing it.

    Parameters
    ----------
    name : str
        Entry of the registry ``selection.selectors``.

    Raises
    ------
    InputError
        If there is no such entry, or it does not say so as a literal.
    """
    known = registry.names("selection.selectors")
    if name not in known:
        raise InputError(f"selection.selectors: there is no entry '{name}'; known entries: {', '.join(known)}")
    path = Path(__file__).parent / "selectors" / f"{name}.py"
    for node in ast.parse(path.read_text(), str(path)).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "NEEDS_GRAPH":
            value = node.value.value if isinstance(node.value, ast.Constant) else None
            if isinstance(value, bool):
                return value
    raise InputError(f"{path}: it must set NEEDS_GRAPH to True or False, written as a literal")
