"""One line for each wrong key of a config: which it is, what is wrong, and what to do."""

import datetime
import difflib
import re
import textwrap
from collections.abc import Callable
from types import NoneType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from scarceseq.config.keys import Config
from scarceseq.config.models import model_of

# Types by the first word of pydantic's error, as the table of keys calls them.
TYPES = {
    **{"string": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array"},
    **{"dict": "object", "model": "object"},
}
LIMITS: dict[str, Callable[[dict], str]] = {
    "greater_than": lambda limit: f"must be above {limit['gt']}",
    "greater_than_equal": lambda limit: f"must be at least {limit['ge']}",
    "less_than": lambda limit: f"must be below {limit['lt']}",
    "less_than_equal": lambda limit: f"must be at most {limit['le']}",
    "finite_number": lambda limit: "must be a finite number",
    "string_pattern_mismatch": lambda limit: f"must match {limit['pattern']}",
    "string_too_short": lambda limit: "must not be empty",
    "string_too_long": lambda limit: f"must not be longer than {limit['max_length']} characters, to be a file's name",
    "too_short": lambda limit: f"must have at least {limit['min_length']} entries",
}


def explain(error: ValidationError, config: dict[str, Any]) -> list[str]:
    """Lines about the wrong keys of a config, in the order of their names; the error is of the model of `Config`."""
    texts: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False):
        place, allowed = _place(problem["loc"], config)
        text = _text(problem, allowed)
        if text not in texts.setdefault(place, []):
            texts[place].append(text)
    inner = [place for place in texts if not any(other.startswith(f"{place}.") for other in texts)]
    return sorted(f"config key {place or '(whole file)'}: {', or '.join(texts[place])}" for place in inner)


def _place(location: tuple, config: dict[str, Any]) -> tuple[str, list[str]]:
    """The key that an error is about, without what pydantic puts between, and the keys that were allowed beside it."""
    node: Any = config
    kind: Any = model_of(Config)
    names: list[str] = []
    allowed: list[str] = []
    for step in location:
        inside = step in node if isinstance(node, dict) else isinstance(node, list) and isinstance(step, int)
        kind = _plain(kind)
        fields = kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else None
        if not inside and step not in (fields or {}):
            continue
        names.append(str(step))
        allowed = list(fields or {})
        if fields is not None:
            kind = fields[step].annotation if step in fields else None
        else:
            kind = get_args(kind)[-1] if get_args(kind) else None
        node = node[step] if inside else None
    return ".".join(names), allowed


def _plain(kind: Any) -> Any:
    """A type without its bounds, and without None where that is allowed too."""
    while get_origin(kind) in (Annotated, Union):
        kind = next(item for item in get_args(kind) if item is not NoneType)
    return kind


def _text(problem: Any, allowed: list[str]) -> str:
    """What is wrong with one key."""
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "missing":
        return "is required and missing"
    if kind in ("extra_forbidden", "invalid_key"):
        near = difflib.get_close_matches(str(problem["loc"][-1]), allowed, n=1)
        return f"unknown key; did you mean '{near[0]}'?" if near else f"unknown key; known keys: {', '.join(allowed)}"
    shown = textwrap.shorten(repr(value), 100, placeholder=" ...")
    if kind == "literal_error":
        return f"{shown} is not one of {context['expected']}"
    if kind.endswith("_type") and kind.partition("_")[0] in TYPES:
        wanted = TYPES[kind.partition("_")[0]]
        return f"{shown} is not of type '{wanted}'{_remedy(value, wanted)}"
    if kind in LIMITS:
        ending = "; it ends in a line break" if isinstance(value, str) and value.endswith("\n") else ""
        return f"{shown} {LIMITS[kind](context)}{ending}"
    return problem["msg"].removeprefix("Value error, ")


def _remedy(value: Any, wanted: str) -> str:
    """What to do about a value that YAML reads as another type than it was meant as."""
    if value is None:
        return "; give a value, or leave the key out"
    if wanted == "string":
        kinds = {bool: "true or false", int: "a number", float: "a number", datetime.date: "a date"}
        read = kinds.get(datetime.date if isinstance(value, datetime.date) else type(value))
        return f": YAML reads it as {read}; write it in quotes" if read else ""
    if wanted in ("number", "integer") and isinstance(value, str) and re.fullmatch(r"[-+.\dEe_]+", value):
        return ": YAML reads it as text; write it without quotes, and with a point before an exponent, as in 1.0e-3"
    return ""
