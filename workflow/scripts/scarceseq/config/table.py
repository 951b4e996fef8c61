"""What is made from the settings dataclasses for people: the table of all keys, and the schema that editors use.

`python -m scarceseq.config.table` prints the table, `python -m scarceseq.config.table schema` the schema.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema

from scarceseq.config.keys import Config
from scarceseq.config.models import model_of


class Untitled(GenerateJsonSchema):
    """A schema without titles, which only repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False


def schema() -> dict[str, Any]:
    """JSON schema of a config."""
    whole = model_of(Config).model_json_schema(schema_generator=Untitled)
    for node in (whole, *whole["$defs"].values()):
        del node["title"]
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": "scarceseq configuration", **whole}


def editors_schema() -> str:
    """Text of workflow/schemas/config.schema.json: a line for each key at the top, and for each class of settings."""
    whole = schema()
    long = {name: whole.pop(name) for name in ("$defs", "properties")}
    lines = [f"{json.dumps(name)}: {json.dumps(value)}," for name, value in whole.items()]
    for name, members in long.items():
        listed = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in members.items()]
        lines += [f'"{name}": {{', ",\n".join(listed), "}," if name == "$defs" else "}"]
    return "\n".join(["{", *lines, "}"]) + "\n"


def describe(node: dict[str, Any], definitions: dict[str, Any], where: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Rows (key, type, default, description) of every key below a node of the schema, in its order."""
    node = _resolved(node, definitions)
    for key, below in node.get("properties", {}).items():
        name, whole = f"{where}.{key}".lstrip("."), _resolved(below, definitions)
        default = yaml.safe_dump(below["default"], default_flow_style=True).split("\n")[0] if "default" in below else ""
        yield name, _kind(whole), default, whole["description"]
        yield from describe(whole, definitions, name)
    for below in (*node.get("patternProperties", {}).values(), node.get("additionalProperties")):
        if isinstance(below, dict):
            yield from describe(below, definitions, f"{where}.<name>")
    if "items" in node:
        yield from describe(node["items"], definitions, f"{where}.[]")


def _resolved(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A node with what it refers to put in place, and the first of several types that is not null."""
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]] | {k: v for k, v in node.items() if k != "$ref"}
    if "anyOf" in node:
        inner = [_resolved(choice, definitions) for choice in node["anyOf"]]
        kinds = list(dict.fromkeys(map(_kind, inner)))
        node = inner[0] | {k: v for k, v in node.items() if k != "anyOf"} | {"kinds": " or ".join(kinds)}
    return node


def _kind(node: dict[str, Any]) -> str:
    """Type of a key in words, or the values that it may have."""
    if "kinds" in node:
        return node["kinds"]
    if "enum" in node or "const" in node:
        return ", ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    return node.get("type", "")


OF_EVERY_RUN = ("name", "seed", "device", "data", "report")
DOORS = {
    "My small study": ("own_study",),
    "My screen": ("screens", "network", "design", "prediction", "predictors", "perturbation", "selection"),
    "The archive": ("archive", "user_studies", "corpus", "pretrain", "guide", "fewshot"),
    "The demo": ("demo",),
}
"""Sections of a config by what somebody comes for, as the README's three doors."""


def document() -> str:
    """Text of config/README.md: a table for each section of a config, by door."""
    lines = [
        "# Keys of a config",
        "",
        "One YAML file per run. A stage runs when its section is there. `<name>` is a name of your choice, `[]` each",
        "item of a list; in paths, `{results}` is `results/<name>` and `{data}` the folder that the key `data` names.",
        "These tables are made from the `settings.py` of each stage by `make docs`.",
        "",
        "- [Every run](#every-run)",
        *(f"- {door}: {', '.join(f'[`{key}`](#{key})' for key in keys)}" for door, keys in DOORS.items()),
    ]
    rows: dict[str, list[str]] = {}
    whole = schema()
    for key, kind, default, description in describe(whole, whole["$defs"]):
        cells = [f"`{key}`", kind, f"`{default}`" if default else "", description]
        line = "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        rows.setdefault(key.partition(".")[0], []).append(line)
    head = ["", "| key | type | default | meaning |", "|---|---|---|---|"]
    lines += ["", "## Every run", *head, *(line for key in OF_EVERY_RUN for line in rows.pop(key))]
    for door, keys in DOORS.items():
        lines += ["", f"## {door}"]
        for key in keys:
            lines += ["", f"### {key}", *head, *rows.pop(key)]
    if rows:
        raise LookupError(f"sections of no door: {', '.join(rows)}")
    return "\n".join([*lines, "", *_public_screens()]) + "\n"


def _public_screens() -> list[str]:
    """Lines about the catalogue of public screens; what is not known of a file is said."""
    lines = [
        "## Public screens",
        "",
        "Names that `screens.<name>.catalogue` takes. Where size and MD5 sum of a file are not known, its first fetch",
        "checks the format alone and records both in `results/<name>/screen/<screen>/source.fetched.json`; every later",
        "fetch must give the same.",
        "",
        "| name | cells | bytes | MD5 | licence | content | address |",
        "|---|---|---|---|---|---|---|",
    ]
    with open(Path(__file__).parents[1] / "screen" / "catalogue.tsv", newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            facts = [row[key] or "unknown until the first fetch" for key in ("bytes", "md5")]
            cells = [f"`{row['name']}`", row["cells"] or "?", *facts, row["licence"], row["content"], row["url"]]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    print(editors_schema() if "schema" in sys.argv[1:] else document(), end="")
