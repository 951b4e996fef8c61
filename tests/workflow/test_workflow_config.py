"""A config is checked before anything runs: one clear message that names the key."""

import copy
import functools
import operator
import subprocess
import sys

import jsonschema
import pydantic
import pytest
import yaml
from helpers import REPOSITORY, planned, snakemake
from scarceseq import registry
from scarceseq.config import method_names, selector_names, settings
from scarceseq.config import table as config_table
from scarceseq.config.keys import Config
from scarceseq.config.models import model_of
from scarceseq.errors import InputError

OWN_STUDY = {"name": "mine", "counts": "Makefile", "gene_id_type": "symbol"}
SCHEMA = config_table.schema()


def demo():
    return yaml.safe_load((REPOSITORY / "config/demo.yaml").read_text())


def test_every_key_of_the_schema_is_described():
    assert [key for key, _, _, description in config_table.describe(SCHEMA, SCHEMA["$defs"]) if not description] == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "config").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_schema_for_editors_accepts_the_shipped_configs(path):
    errors = jsonschema.Draft202012Validator(SCHEMA).iter_errors(yaml.safe_load(path.read_text()))
    assert [error.message for error in errors] == []


def test_the_schema_for_editors_is_a_schema():
    of_schemas = jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)
    assert [error.message for error in of_schemas.iter_errors(SCHEMA)] == []
    assert list(of_schemas.iter_errors(SCHEMA | {"type": "no type"}))


def keys_of(node, where=()):
    """Places in nested dictionaries."""
    for key, value in node.items():
        yield (*where, key)
        if isinstance(value, dict):
            yield from keys_of(value, (*where, key))


@pytest.mark.parametrize("section", sorted(demo()))
def test_the_schema_for_editors_refuses_what_the_checks_refuse(section):
    validator, whole = jsonschema.Draft202012Validator(SCHEMA), demo()
    some = {key: whole[key] for key in ("name", section)}
    places = [place for place in keys_of(some) if place[0] == section]
    for index, place in enumerate(places):
        for value in [None, "x", -1, 0.5, True, [], ["x", "x"], {"zz": 1}][index % 2 :: 2]:
            changed = copy.deepcopy(some)
            node = functools.reduce(operator.getitem, place[:-1], changed)
            node[place[-1]] = value
            try:
                model_of(Config).model_validate(changed)
                accepted = True
            except pydantic.ValidationError:
                accepted = False
            assert validator.is_valid(changed) is accepted, f"{'.'.join(place)}: {value!r}"


def test_defaults_are_filled_in_and_paths_expanded():
    config = settings.complete(demo())
    assert config["network"]["graphs"]["annotation"]["path"] == "results/demo/demo/annotation.tsv.gz"
    assert "momentum" in str(config["guide"]["schemes"]["cluster_pairs"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(pretrian={}), "config key pretrian: unknown key; did you mean 'pretrain'?"),
        (lambda c: c["archive"].update(batchs=2), "config key archive.batchs: unknown key; did you mean 'batches'?"),
        (lambda c: c["archive"].update(batches="four"), "config key archive.batches: 'four' is not of type 'integer'"),
        (lambda c: c.pop("name"), "config key name: is required and missing"),
        (lambda c: c.update(device="gpu"), "config key device: 'gpu' is not one of"),
        (lambda c: c.pop("pretrain"), "config key guide: this section needs the section 'pretrain'"),
        (
            lambda c: c["pretrain"]["bases"]["mlp"].update(split="nosplit"),
            "config key pretrain.bases.mlp.split: 'nosplit' is no split of corpus.splits; known: default",
        ),
        (
            lambda c: c["pretrain"]["bases"]["mlp"].update(objectives={"magic": {}}),
            "config key pretrain.bases.mlp.objectives.magic: unknown key",
        ),
        (
            lambda c: c["pretrain"]["bases"]["mlp"].update(heads=3),
            "config key pretrain.bases.mlp.token_width: no multiple of heads, 3",
        ),
        (
            lambda c: c["pretrain"]["comparison"]["tasks"]["tissue"].update(split="nosplit"),
            "config key pretrain.comparison.tasks.tissue.split: 'nosplit' is no split of any base",
        ),
        (
            lambda c: c["pretrain"]["bases"].update(mlp_seed2={"split": "default"}),
            "config key pretrain.bases.mlp.further_seeds: there is a base with seed 2",
        ),
        (lambda c: c["fewshot"]["methods"].append("magic"), "config key fewshot.methods: 'magic' is no method"),
        (
            lambda c: c["network"]["graphs"]["annotation"].update(path="no/such/file.tsv"),
            "config key network.graphs.annotation.path: there is no file 'no/such/file.tsv'",
        ),
        (
            lambda c: c["screens"]["demo"].update(path="{data}/screen.h5ad"),
            "config key screens.demo.path: uses {data}, but the key 'data' is not set",
        ),
        (
            lambda c: (c.update(data="no/such/folder"), c["screens"]["demo"].update(path="{data}/screen.h5ad")),
            "config key data: there is no folder 'no/such/folder'; say where it is: --config data=PATH",
        ),
        (
            lambda c: c["selection"]["screens"]["demo"].update(prediction_graph="nograph"),
            "config key selection.screens.demo: 'nograph' is no graph of network.graphs",
        ),
        (
            lambda c: c.update(design={"graph": "annotation", "measured": "first_round"}),
            "config key design.measured: there is no file 'first_round', and no screen of that name",
        ),
        (
            lambda c: c["selection"].update(selectors=["random", "gess"]),
            "config key selection.selectors: 'gess' is no selector; known: acs_fw",
        ),
        (
            lambda c: c["selection"].update(selectors={"a": ["random"], "b": ["reach", "random"]}),
            "config key selection.selectors: 'random' is there twice",
        ),
        (
            lambda c: c["selection"].update(selectors={"all": ["random", "bald"]}),
            "config key selection.selectors.all: selectors in one shot and in rounds; divide the list",
        ),
        (
            lambda c: c["selection"].update(rounds={"model": "oracle"}),
            "config key selection.rounds.model: 'oracle' is no model; known: gears, graph_process",
        ),
        (
            lambda c: c["selection"].update(selectors=["random", "bald@oracle"]),
            "config key selection.selectors.bald@oracle: 'oracle' is no model; known: gears, graph_process",
        ),
        (
            lambda c: c["selection"].update(selectors=["random", "degree@gears"]),
            "config key selection.selectors: 'degree@gears' chooses in one shot, without a model",
        ),
        (
            lambda c: c["selection"].update(selectors=["random", "reach@gears"]),
            "config key selection.selectors.reach@gears: 'gears' is no variant of reach; known: candidates, halving",
        ),
        (
            lambda c: c["selection"].update(selectors=["random", "reach_usage"]),
            "config key selection.selectors: `reach_usage` is now called `reach@usage`",
        ),
        (
            lambda c: c["selection"].update(stability={"selectors": ["reach_soft"]}),
            "config key selection.stability.selectors: `reach_soft` is now called `reach@soft`",
        ),
        (
            lambda c: c["fewshot"].update(methods=["genes_knn"]),
            "config key fewshot.methods: `genes_knn` is now called `knn@genes`",
        ),
        (
            lambda c: c["fewshot"].update(fitting={"candidates": {"feature_transform": [2]}}),
            "config key fewshot.fitting.candidates.feature_transform",
        ),
        (
            lambda c: (
                c["selection"].update(selectors=["random", "bald@gears"]),
                c["screens"]["demo"].update(kind="coordinates"),
            ),
            "config key selection.selectors: 'bald@gears' trains gears on single cells, which screen demo",
        ),
        (
            lambda c: c["perturbation"].update(predictors=["other_contexts"]),
            "config key perturbation.predictors: 'other_contexts' learns from other contexts, of which screen demo has",
        ),
        (
            lambda c: c["perturbation"].update(predictors=["additive"]),
            "config key perturbation.predictors: 'additive' puts doubles together, and no screen has any",
        ),
        (
            lambda c: c["screens"]["demo"].update(published_split=__file__),
            "config key screens.demo.published_split: divides a screen with doubles; set doubles: true",
        ),
        (
            lambda c: c["screens"]["demo"].update(kind="coordinates", doubles=True),
            "config key screens.demo.doubles: is for kinds cells and profiles",
        ),
        (
            lambda c: c["screens"]["demo"].update(doubles=True),
            "config key selection: takes screens of single genes, and screen demo has doubles",
        ),
        (
            lambda c: c["demo"].update(doubles=20_000),
            "config key demo.doubles: there are not so many pairs of demo.perturbations",
        ),
        (
            lambda c: c["screens"]["demo"].update(contexts=["demo"]),
            "config key screens.demo.contexts",
        ),
        (
            lambda c: c["fewshot"].update(fitting={"candidates": {"learning_rate": [0.1]}}),
            "config key fewshot.fitting.candidates: every method must have as many, so that none is tuned more",
        ),
        (
            lambda c: c["fewshot"]["tasks"]["tissue"].update(classes=["liver", "lung"]),
            "config key fewshot.tasks.tissue.ways: more than the 2 classes",
        ),
        (
            lambda c: c["fewshot"]["tasks"]["tissue"].update(methods=["magic"]),
            "config key fewshot.tasks.tissue.methods: 'magic' is no method",
        ),
        (
            lambda c: c["guide"].pop("meta"),
            "config key guide.meta: is missing, and fewshot.methods has full_fine_tuning@reptile, which needs it",
        ),
        (
            lambda c: c["guide"]["meta"].update(scheme="noscheme"),
            "config key guide.meta.scheme: 'noscheme' is no scheme of guide.schemes",
        ),
        (
            lambda c: c["fewshot"].update(seeds=6),
            "config key fewshot.seeds: a base of the task tissue has 5 seeds only",
        ),
        (
            lambda c: c["fewshot"].pop("shuffled_scheme"),
            "config key fewshot.shuffled_scheme: '' is no scheme of guide.schemes; guided@shuffled_scouts needs one",
        ),
        (
            lambda c: c["guide"]["schemes"]["shuffled"].update(minimum_held_out_accuracy=0.7),
            "config key guide.schemes.shuffled.minimum_held_out_accuracy: scouts with shuffled labels learn nothing",
        ),
        (
            lambda c: c["corpus"]["splits"]["default"]["shares"].update(test=0.5),
            "config key corpus.splits.default.shares: they add up to 1.15, not to 1",
        ),
        (
            lambda c: c["archive"].update(min_runs=9, max_study_runs=8),
            "config key archive.max_study_runs: is below archive.min_runs, so that no study is left",
        ),
        (
            lambda c: c["archive"].update(mirrors=["no/such/folder"]),
            "config key archive.mirrors: there is no folder 'no/such/folder'",
        ),
        (
            lambda c: c["network"]["embeddings"].update(learned={"kind": "base_model", "base": "nobase"}),
            "config key network.embeddings.learned.base: 'nobase' is no base of pretrain.bases; known: mlp",
        ),
        (
            lambda c: c["network"]["graphs"]["coexpression"].update(min_jaccard=0.2),
            "config key network.graphs.coexpression.min_jaccard: a graph of kind corpus_coexpression has no such key",
        ),
        (
            lambda c: c["screens"]["demo"].update(catalogue="adamson"),
            "config key screens.demo: give either path or catalogue",
        ),
        (lambda c: c["archive"].update(organism="human"), "config key archive.organism: the generated archive"),
        (
            lambda c: c["corpus"].update(joined=["results/human/corpus"]),
            "config key corpus.joined: there is no file 'results/human/corpus/corpus.h5ad'; finish that run first",
        ),
        (
            lambda c: (c.pop("archive"), c.pop("demo")),
            "config key corpus: this section needs the section 'archive', or other runs' corpora under corpus.joined",
        ),
        (
            lambda c: c["corpus"].update(orthologues={"table": "Makefile", "columns": {"mouse": "a"}}),
            "config key corpus.orthologues.columns: {'mouse': 'a'} must have at least 2 entries",
        ),
        (
            lambda c: c.update(user_studies=[OWN_STUDY | {"organism": "human"}]),
            "config key user_studies: 'mine' is of human, the archive of mouse: it needs its own `annotation`",
        ),
        (
            lambda c: c.update(user_studies=[OWN_STUDY | {"annotation": "Makefile"}]),
            "config key user_studies: 'mine' has an annotation of its own, but is of the archive's organism",
        ),
    ],
)
def test_a_wrong_key_gets_one_clear_message(change, message):
    config = demo()
    change(config)
    with pytest.raises(InputError) as error:
        settings.complete(config)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_classifiers_on_features_that_there_are_none_of_are_left_out(tmp_path):
    for name in ("model.zip", "counts.csv", "labels.csv", "sets.gmt"):
        (tmp_path / name).touch()
    files = {key: str(tmp_path / f"{key}.csv") for key in ("counts", "labels")}
    model, sets = ({"model": str(tmp_path / "model.zip")}, {"gene_sets": str(tmp_path / "sets.gmt")})
    alone = {**files, "gene_id_type": "symbol", "label": "sex", "organism": "mouse"}

    def chosen(own):
        whole = settings.complete({"name": "own", "seed": 1, "own_study": own})["own_study"]
        return whole["best_candidates"], bool(whole["methods"])

    of_genes = [
        "logistic@top_genes",
        "nearest_centroid@top_genes",
        "linear_svm@all_genes",
        "shrunken_centroids@all_genes",
    ]
    assert chosen(alone) == (of_genes, False)
    assert chosen(alone | sets) == ([*of_genes, "logistic@gene_sets"], False)
    assert chosen(alone | model) == (of_genes, True)
    asked = {"best_candidates": ["linear_svm@all_genes", "logistic@pca"]}
    assert chosen(alone | asked) == (["linear_svm@all_genes"], False)


def test_snakemake_prints_that_message_and_runs_nothing(repository_copy):
    done = snakemake(repository_copy, "-n", "--config", "dvice=cpu", check=False)
    assert done.returncode != 0
    assert "config key dvice: unknown key; did you mean 'device'?" in done.stdout


def test_nothing_of_the_demo_leaks_into_another_run(repository_copy):
    config = demo()
    only = {key: config[key] for key in ("network", "screens", "selection")}
    only["network"]["graphs"].pop("coexpression")
    only["network"].pop("embeddings")
    only["selection"]["screens"]["demo"].update(selection_graphs=["annotation"], prior_graphs=None)
    (repository_copy / "graph.tsv").write_text("gene\tterm\nA\tt1\n")
    only["network"]["graphs"]["annotation"]["path"] = "graph.tsv"
    only["screens"]["demo"]["path"] = "graph.tsv"
    (repository_copy / "only.yaml").write_text(yaml.safe_dump({"name": "only", **only}))
    rules = set(planned(repository_copy, "--configfile", "only.yaml"))
    assert rules == {
        "build_graph",
        "normalise_cells",
        "prepare_screen",
        "rank_perturbations",
        "select_in_rounds",
        "fit_selection",
        "describe_selection",
        "score_selection",
        "render_report",
    }


def test_without_a_configfile_the_embedded_default_is_planned(repository_copy):
    plan = planned(repository_copy)
    assert plan["generate_demo"] == 1
    assert plan["fetch_batch"] == demo()["archive"]["batches"]
    fewshot = demo()["fewshot"]
    assert plan["fit_episodes"] == sum(
        -(-len(task.get("methods", fewshot["methods"])) // fewshot["methods_per_job"])
        * len(task["ways"])
        * len(task["shots"])
        for task in fewshot["tasks"].values()
    )
    run = {entry for entry in method_names.entries(fewshot["methods"]) if entry[1]}
    for kind in (method_names.CLASSIFIERS, method_names.FEATURES, method_names.FINE_TUNING):
        assert sorted(name for registered, name in run if registered == kind) == registry.names(kind), "of each, one"
    assert {method_names.learned(name) for name in fewshot["methods"]} >= {
        *method_names.GUIDES.values(),
        *(f"meta/{name}" for name in registry.names("guide.meta")),
    }
    selectors = selector_names.selector_jobs(demo()["selection"]["selectors"]).values()
    every = sorted(name for names in selectors for name in names)
    rounds = [name for name in registry.names("selection.selectors") if selector_names.in_rounds(name)]
    assert every == sorted([*selector_names.one_shot(), *rounds]), "the demo runs every selector"


def refused(change, **options):
    """Message about the embedded default after a change."""
    config = demo()
    change(config)
    with pytest.raises(InputError) as error:
        settings.complete(config, **options)
    return str(error.value)


QUOTES = "write it in quotes"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: 001", f"config key name: 1 is not of type 'string': YAML reads it as a number; {QUOTES}"),
        ("name: 2026-11-27", f"is not of type 'string': YAML reads it as a date; {QUOTES}"),
        ("name: NO", f"config key name: False is not of type 'string': YAML reads it as true or false; {QUOTES}"),
        ('name: "demo\\n"', "config key name: 'demo\\n' must match"),
        ('name: "demo\\n"', "it ends in a line break"),
        (f"name: {'a' * 65}", "must not be longer than 64 characters, to be a file's name"),
        ("seed: 1.5", "config key seed: 1.5 is not of type 'integer'"),
        ("seed: -1", "config key seed: -1 must be at least 0"),
        ("seed: true", "config key seed: True is not of type 'integer'"),
        ("fewshot:", "config key fewshot: None is not of type 'object'; give a value, or leave the key out"),
        ("archive: {batchs: 3}", "config key archive.batchs: unknown key; did you mean 'batches'?"),
        (
            "archive: {organism: mouse, organsm: mouse}",
            "config key archive.organsm: unknown key; did you mean 'organism'?",
        ),
        ("guide: {schemes: {cluster_pairs: {learning_rate: .nan}}}", "learning_rate: nan must be a finite number"),
        ("guide: {schemes: {cluster_pairs: {momentum: .nan}}}", "momentum: nan must be a finite number"),
        ("guide: {schemes: {cluster_pairs: {scale: .inf}}}", "scale: inf must be a finite number"),
        ("guide: {schemes: {cluster_pairs: {learning_rate: 1e-3}}}", "write it without quotes, and with a point"),
        ("pretrain: {bases: {mlp: {roles: [pretrain, pretrain]}}}", "roles: 'pretrain' is there twice"),
        ("pretrain: {bases: {a/b: {split: default}}}", "config key pretrain.bases.a/b: 'a/b' must match"),
        ("fewshot: {tasks: {tissue: {ways: [1]}}}", "ways.0: 1 must be at least 2, or 1 is not one of 'all'"),
        ("selection: {selectors: 5}", "config key selection.selectors: 5 is not of type 'array', or"),
        (
            "selection: {selectors: [random, 5]}",
            "config key selection.selectors.1: 5 is not of type 'string': YAML reads",
        ),
        (
            "screens: {demo: {kind: cells, keep_cells: {line: 1}}}",
            "config key screens.demo.keep_cells.line: 1 is not of",
        ),
        ("network: {graphs: {none: {kind: edges}}}", "config key network.graphs.none: this name is taken"),
    ],
)
def test_what_yaml_makes_of_a_value_is_said(text, message):
    def merge(node, more):
        for key, value in more.items():
            if isinstance(value, dict) and isinstance(node.get(key), dict):
                merge(node[key], value)
            else:
                node[key] = value

    answer = refused(lambda config: merge(config, yaml.safe_load(text)))
    assert message in answer


def test_checking_a_config_imports_nothing_that_computes():
    code = (
        "import sys, yaml; from scarceseq.config import settings; "
        "settings.complete(yaml.safe_load(open('config/demo.yaml'))); "
        "print(sorted({'torch', 'pandas', 'numpy', 'sklearn', 'anndata'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_several_wrong_keys_get_a_line_each():
    answer = refused(lambda config: config.update(seed="x", device="gpu", pretrian={}))
    assert [line.split(":")[0] for line in answer.splitlines()] == [
        "config key device",
        "config key pretrian",
        "config key seed",
    ]


def test_a_key_that_is_given_twice_is_refused_with_both_lines(tmp_path):
    file = tmp_path / "twice.yaml"
    file.write_text(
        "name: demo\nown_study:\n  label: a\n  methods: [x]\n  label: b\nlist:\n- {a: 1, b: 2}\n- {a: 1, a: 2}\n"
    )
    answer = refused(lambda config: None, files=[file])
    assert answer.splitlines() == [
        f"config key own_study.label: is given twice, in lines 3 and 5 of {file}; keep one",
        f"config key list.1.a: is given twice, in lines 8 and 8 of {file}; keep one",
    ]


def test_a_key_twice_in_one_of_several_files_stops_a_run(repository_copy):
    (repository_copy / "more.yaml").write_text("device: cpu\nseed: 2\ndevice: cuda\n")
    done = snakemake(repository_copy, "-n", "--configfile", "config/demo.yaml", "more.yaml", check=False)
    assert done.returncode != 0
    assert "config key device: is given twice, in lines 1 and 3 of" in done.stdout
