"""The table of all keys of a config, made from the schema: `python -m scarceseq.config.table`."""

import csv
from pathlib import Path

import yaml

from scarceseq.config.settings import load_schema


def describe(schema, where=""):
    """Rows (key, type, default, description) of every key, in the order of the schema: the README's table."""
    for key, part in schema.get("properties", {}).items():
        name = f"{where}.{key}".lstrip(".")
        kind = part.get("type", "")
        kind = " or ".join(kind) if isinstance(kind, list) else kind
        if "enum" in part:
            kind = ", ".join(f"`{value}`" for value in part["enum"])
        default = yaml.safe_dump(part["default"], default_flow_style=True).split("\n")[0] if "default" in part else ""
        yield name, kind, default, " ".join(part.get("description", "").split())
        yield from describe(part, name)
        if isinstance(part.get("additionalProperties"), dict):
            yield from describe(part["additionalProperties"], f"{name}.<name>")
        if isinstance(part.get("items"), dict):
            yield from describe(part["items"], f"{name}.[]")


def document(schema):
    """Text of config/README.md, made from the schema."""
    lines = [
        "# Keys of a config",
        "",
        "One YAML file per run. A stage runs when its section is there. `<name>` is a name of your choice, `[]` each",
        "item of a list; in paths, `{results}` is `results/<name>` and `{data}` the folder that the key `data` names.",
        "This table is made from `workflow/schemas/` by `make docs`.",
        "",
        "| key | type | default | meaning |",
        "|---|---|---|---|",
    ]
    for key, kind, default, description in describe(schema):
        cells = [f"`{key}`", kind, f"`{default}`" if default else "", description]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, "", *_public_screens()]) + "\n"


def _public_screens():
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
            known = [row[key] or "unknown until the first fetch" for key in ("bytes", "md5")]
            cells = [f"`{row['name']}`", row["cells"] or "?", *known, row["licence"], row["content"], row["url"]]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    print(document(load_schema(Path(__file__).parents[3] / "schemas")), end="")
