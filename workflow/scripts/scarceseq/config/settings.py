"""The config: checked against the schema before anything runs, defaults filled in, paths expanded."""

import copy
import difflib
from pathlib import Path

import jsonschema
import yaml

from scarceseq.config.references import check_graph_keys, check_references
from scarceseq.errors import InputError

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
    "design": ["network"],
}


def load_schema(folder):
    """Read the schema of the whole config, its parts (one file per stage) put in place.

    Parameters
    ----------
    folder : path
        Holds ``config.schema.yaml`` and the files that it refers to.
    """
    folder = Path(folder)

    def resolve(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str) and node["$ref"].endswith(".yaml"):
                return resolve(yaml.safe_load((folder / node["$ref"]).read_text()))
            # a part's own $schema would make jsonschema fall back to its plain validator, which fills in no defaults
            return {key: resolve(value) for key, value in node.items() if key != "$schema"}
        if isinstance(node, list):
            return [resolve(value) for value in node]
        return node

    return resolve(yaml.safe_load((folder / "config.schema.yaml").read_text()))


def complete(config, schema, results="results"):
    """Checked copy of a config with defaults filled in and ``{results}``, ``{data}`` expanded.

    Parameters
    ----------
    config : dict
        As read from the YAML file.
    schema : dict
        From `load_schema`.
    results : str
        Folder of all runs; ``{results}`` becomes ``<results>/<name>``.

    Raises
    ------
    InputError
        With one line for each wrong key.
    """
    given, config = config, copy.deepcopy(dict(config))
    errors = list(_validator(schema).iter_errors(config))
    if errors:
        lines = sorted({_explain(error) for error in errors})
        raise InputError("\n".join(lines))
    check_graph_keys(given)
    for section, needed in NEEDS.items():
        for other in needed:
            if section in config and other not in config:
                raise InputError(f"config key {section}: this section needs the section '{other}', which is missing")
    config = _expand(config, {"{results}": f"{results}/{config['name']}", "{data}": config["data"]}, "")
    _check_files(config, schema, "", f"{results}/{config['name']}/")
    check_references(config)
    return _in_order(config)


def _validator(schema):
    """Draft 2020-12 validator that also fills in defaults."""
    base = jsonschema.Draft202012Validator
    check_properties = base.VALIDATORS["properties"]

    def fill_and_check(validator, properties, instance, owner):
        if isinstance(instance, dict):
            for key, part in properties.items():
                if isinstance(part, dict) and "default" in part:
                    instance.setdefault(key, copy.deepcopy(part["default"]))
        yield from check_properties(validator, properties, instance, owner)

    return jsonschema.validators.extend(base, {"properties": fill_and_check})(schema)


def _explain(error):
    """One line that names the key and says what to do."""
    where = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {}))
        unknown = [key for key in error.instance if key not in known]
        texts = []
        for key in unknown:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; known keys: {', '.join(known)}"
            texts.append(f"config key {f'{where}.{key}' if where else key}: unknown key{hint}")
        return "\n".join(texts)
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return "\n".join(f"config key {f'{where}.{key}' if where else key}: is required and missing" for key in missing)
    return f"config key {where or '(whole file)'}: {error.message}"


def _expand(node, words, where):
    if isinstance(node, dict):
        return {key: _expand(value, words, f"{where}.{key}".lstrip(".")) for key, value in node.items()}
    if isinstance(node, list):
        return [_expand(value, words, f"{where}.{index}") for index, value in enumerate(node)]
    if isinstance(node, str):
        for word, text in words.items():
            if word in node:
                if text is None:
                    raise InputError(f"config key {where}: uses {word}, but the key 'data' is not set")
                if word == "{data}" and not Path(text).is_dir():
                    hint = "say where it is: --config data=PATH"
                    raise InputError(f"config key data: there is no folder '{text}'; {hint}")
                node = node.replace(word, str(text).rstrip("/"))
    return node


def _in_order(node):
    """Keys sorted, so that a config means the same to Snakemake in whatever order it was written."""
    if isinstance(node, dict):
        return {key: _in_order(node[key]) for key in sorted(node)}
    return [_in_order(value) for value in node] if isinstance(node, list) else node


def _check_files(node, schema, where, generated):
    """A string whose schema says ``file: true`` must name a file, unless the run itself makes it."""
    if isinstance(node, str) and schema.get("file"):
        if not node.startswith(generated) and not Path(node).is_file():
            raise InputError(f"config key {where}: there is no file '{node}'")
    elif isinstance(node, dict):
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties", {})
        for key, value in node.items():
            part = properties.get(key, rest)
            if isinstance(part, dict):
                _check_files(value, part, f"{where}.{key}".lstrip("."), generated)
    elif isinstance(node, list) and isinstance(schema.get("items"), dict):
        for index, value in enumerate(node):
            _check_files(value, schema["items"], f"{where}.{index}", generated)
