"""The config: checked before anything runs, defaults filled in, paths expanded."""

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from scarceseq.archive.check import fill_in_studies
from scarceseq.config.files import check_files
from scarceseq.config.keys import Config
from scarceseq.config.messages import explain
from scarceseq.config.models import FilePath, model_of
from scarceseq.errors import InputError
from scarceseq.keys import ABSENT
from scarceseq.network.check import check_keys_of_kinds
from scarceseq.own_study.check import fill_in_candidates

# What a section needs from the sections before it.
NEEDS = {
    "user_studies": ["archive", "corpus"],
    "demo": ["archive"],
    "archive": ["corpus"],
    "pretrain": ["corpus"],
    "guide": ["pretrain"],
    "fewshot": ["guide"],
    "perturbation": ["screens"],
    "selection": ["screens"],
    "prediction": ["screens", "network"],
    "design": ["network"],
}
# Rooms whose module `check` looks at names that one key uses and another must define, in this order.
CHECKED = (
    *("demo", "archive", "corpus", "pretrain", "guide", "fewshot", "own_study"),
    *("network", "screen", "perturbation", "selection", "prediction", "design"),
)


def complete(config: dict[str, Any], files: Iterable[str | Path] = (), results: str = "results") -> dict[str, Any]:
    """Checked copy of a config with defaults filled in and ``{results}``, ``{data}`` expanded.

    Parameters
    ----------
    config : dict
        As read from the YAML file.
    files : sequence of path
        The files that it was read from, which are looked through for keys that are given twice.
    results : str
        Folder of all runs; ``{results}`` becomes ``<results>/<name>``.

    Raises
    ------
    InputError
        With one line for each wrong key.
    """
    check_files(files)
    try:
        checked = model_of(Config).model_validate(config)
    except ValidationError as error:
        raise InputError("\n".join(explain(error, config))) from None
    check_keys_of_kinds(config.get("network", {}))
    for section, needed in NEEDS.items():
        for other in needed:
            if section in config and other not in config:
                raise InputError(f"config key {section}: this section needs the section '{other}', which is missing")
    folder = f"{results}/{config['name']}"
    whole = _expand(_dictionary(checked), {"{results}": folder, "{data}": config.get("data")}, f"{folder}/", "")
    fill_in_studies(whole)
    for room in CHECKED:
        importlib.import_module(f"scarceseq.{room}.check").check(whole)
    fill_in_candidates(whole)
    return whole


def _dictionary(node: Any) -> Any:
    """Plain dictionaries of what was validated; keys sorted, so that a config means the same in whatever order."""
    if isinstance(node, BaseModel):
        node = {key: value for key, value in node if value is not ABSENT}
    if isinstance(node, dict):
        return {key: _dictionary(node[key]) for key in sorted(node)}
    return [_dictionary(value) for value in node] if isinstance(node, list) else node


def _expand(node: Any, words: dict[str, str | None], generated: str, where: str) -> Any:
    """The config with words in braces replaced; what must be a file is looked for, unless the run itself makes it."""
    if isinstance(node, dict):
        return {key: _expand(value, words, generated, f"{where}.{key}".lstrip(".")) for key, value in node.items()}
    if isinstance(node, list):
        return [_expand(value, words, generated, f"{where}.{index}") for index, value in enumerate(node)]
    if not isinstance(node, str):
        return node
    text = str(node)
    for word, meaning in words.items():
        if word in text:
            if meaning is None:
                raise InputError(f"config key {where}: uses {word}, but the key 'data' is not set")
            if word == "{data}" and not Path(meaning).is_dir():
                hint = "say where it is: --config data=PATH"
                raise InputError(f"config key data: there is no folder '{meaning}'; {hint}")
            text = text.replace(word, meaning.rstrip("/"))
    if isinstance(node, FilePath) and not text.startswith(generated) and not Path(text).is_file():
        raise InputError(f"config key {where}: there is no file '{text}'")
    return text
