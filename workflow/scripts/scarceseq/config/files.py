"""What only the text of a config file shows: a key that is given twice, of which YAML takes the last silently."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from scarceseq.errors import InputError


def check_files(files: Iterable[str | Path]) -> None:
    """Raise `InputError` with a line for each key that a file gives twice, which names both places."""
    lines = [line for file in files for line in repeated_keys(Path(file))]
    if lines:
        raise InputError("\n".join(lines))


def repeated_keys(file: Path) -> Iterator[str]:
    """A line for each key of a YAML or JSON file that is given twice."""
    try:
        tree = yaml.compose(file.read_text(encoding="utf-8-sig"), yaml.SafeLoader)
    except yaml.YAMLError:
        return  # Snakemake has read it another way, and says what is wrong if it has not
    yield from _repeated(tree, "", file, set())


def _repeated(node: yaml.Node | None, where: str, file: Path, seen: set[int]) -> Iterator[str]:
    if id(node) in seen:
        return  # an alias of what was looked at
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in first and name != "<<":
                place = f"{where}.{name}".lstrip(".")
                yield f"config key {place}: is given twice, in lines {first[name]} and {line} of {file}; keep one"
            first.setdefault(name, line)
            yield from _repeated(value, f"{where}.{name}".lstrip("."), file, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _repeated(value, f"{where}.{index}", file, seen)
