"""pydantic's models of the settings dataclasses: what validates a config, and describes it to editors."""

import ast
import dataclasses
import functools
import operator
import sys
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WrapValidator, create_model

from scarceseq.keys import ABSENT

STRICT = ConfigDict(extra="forbid", strict=True, validate_default=True, allow_inf_nan=False, protected_namespaces=())


class FilePath(str):
    """A path that must be that of a file; what tells it from other text once the config is validated."""


@functools.cache
def model_of(settings: type) -> type[BaseModel]:
    """Model of a settings dataclass: its documented fields, with their types, bounds, defaults and descriptions."""
    hints, described = get_type_hints(settings, include_extras=True), descriptions(settings)
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        if field.name in described:
            about = {"description": described[field.name], **_default(field)}
            fields[field.name] = (_translated(hints[field.name]), Field(**about))
    return create_model(settings.__name__, __config__=STRICT, __doc__=settings.__doc__, **fields)


@functools.cache
def descriptions(settings: type) -> dict[str, str]:
    """What the string below each field of a dataclass says, or, for a section, the docstring of its class."""
    hints, described = get_type_hints(settings), {}
    for kind in reversed(settings.__mro__[:-1]):
        body = _classes(kind.__module__)[kind.__name__].body
        for node, below in zip(body, [*body[1:], None], strict=True):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                text = ast.literal_eval(below.value) if isinstance(below, ast.Expr) else _section(hints[node.target.id])
                if text:
                    described[node.target.id] = " ".join(text.split())
    return described


@functools.cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    """Syntax trees of a module's classes."""
    tree = ast.parse(Path(str(sys.modules[module].__file__)).read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _section(hint: Any) -> str:
    """Docstring of the class that describes a section; empty for another type."""
    kinds = [kind for kind in (hint, *get_args(hint)) if isinstance(kind, type) and dataclasses.is_dataclass(kind)]
    return kinds[0].__doc__ or "" if kinds else ""


def _default(field: dataclasses.Field) -> dict[str, Any]:
    """Arguments of pydantic's field that say its default, if it has one."""
    if field.default is ABSENT:
        return {"default_factory": lambda: ABSENT, "validate_default": False}
    if field.default_factory is not dataclasses.MISSING:
        value = {} if isinstance(field.default_factory, type) else field.default_factory()
        factory = dict if value == {} else field.default_factory
        return {"default_factory": factory, "json_schema_extra": {"default": value}}
    return {} if field.default is dataclasses.MISSING else {"default": field.default}


def _translated(hint: Any) -> Any:
    """A key's type as pydantic takes it."""
    limits: dict[str, Any] = {}
    while get_origin(hint) is Annotated:
        hint, *more = get_args(hint)
        for item in more:
            if isinstance(item, type):
                return model_of(item)  # what is a dictionary when a job runs is described by a class
            limits |= {name: value for name, value in vars(item).items() if value is not None and value is not False}
    if dataclasses.is_dataclass(hint):
        return model_of(hint)  # type: ignore[arg-type]
    origin, inner = get_origin(hint), tuple(get_args(hint))
    if origin in (Union, UnionType):
        return functools.reduce(operator.or_, (_translated(item) for item in inner))
    if origin in (list, dict):
        hint = origin[tuple(_translated(item) for item in inner)]
    return Annotated[hint, *_constraints(hint, limits)]


def _constraints(hint: Any, limits: dict[str, Any]) -> list[Any]:
    """Bounds as pydantic's annotations."""
    unique, file = limits.pop("unique", False), limits.pop("file", False)
    constraints: list[Any] = [Field(**limits)]
    if hint is float:
        constraints.append(WrapValidator(_as_given))
    if unique:
        constraints += [AfterValidator(_without_repeats), Field(json_schema_extra={"uniqueItems": True})]
    if file:
        constraints.append(AfterValidator(FilePath))
    return constraints


def _as_given(value: Any, validate: Callable[[Any], float]) -> Any:
    """A number that passes, as it was written: 10 does not become 10.0."""
    validate(value)
    return value


def _without_repeats(values: list) -> list:
    """Refuse a list with an item twice."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(f"{value!r} is there twice")
    return values
