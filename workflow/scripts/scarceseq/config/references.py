"""Whether the parts of a config fit together: names that one key uses and another must define, and registry entries."""

from pathlib import Path

from scarceseq import registry
from scarceseq.config import selector_names as ways
from scarceseq.config.candidates import LEARNING_RATES, candidates
from scarceseq.errors import InputError


def check_references(config):
    """Names that one key uses and another must define, and names of registry entries."""
    _check_archive(config)
    _check_corpus(config)
    _check_pretrain(config)
    _check_guide(config)
    _check_fewshot(config)
    _check_own_study(config)
    _check_network(config)
    _check_screens(config)
    _check_selection(config)


def check_graph_keys(config):
    """A graph or embedding may have the keys of its own kind only; looked at before defaults are filled in."""
    for section, what in (("graphs", "a graph"), ("embeddings", "an embedding")):
        kinds = {"graphs": "network.kinds", "embeddings": "network.embeddings"}[section]
        for name, part in config.get("network", {}).get(section, {}).items():
            if part["kind"] not in registry.names(kinds):
                continue  # named by the check of references
            keys = {"kind", *registry.declared(kinds, part["kind"], "KEYS")}
            keys |= {"genes"} if section == "graphs" else set()
            for key in sorted(set(part) - keys):
                where = f"network.{section}.{name}.{key}"
                raise InputError(f"config key {where}: {what} of kind {part['kind']} has no such key")


def _one_of(where, name, known, what):
    if name not in known:
        listed = ", ".join(map(str, known)) or "none"
        raise InputError(f"config key {where}: '{name}' is no {what}; known: {listed}")


def _check_pretrain(config):
    splits = config.get("corpus", {}).get("splits", {})
    for base, part in config.get("pretrain", {}).get("bases", {}).items():
        _one_of(f"pretrain.bases.{base}.split", part["split"], splits, "split of corpus.splits")
        known = registry.names("pretrain.architectures")
        _one_of(f"pretrain.bases.{base}.architecture", part["architecture"], known, "architecture")
        for seed in part["further_seeds"]:
            if f"{base}_seed{seed}" in config["pretrain"]["bases"] or seed == part["seed"]:
                raise InputError(f"config key pretrain.bases.{base}.further_seeds: there is a base with seed {seed}")
        if part["token_width"] % part["heads"]:
            raise InputError(f"config key pretrain.bases.{base}.token_width: no multiple of heads, {part['heads']}")
    trained = {base["split"] for base in config.get("pretrain", {}).get("bases", {}).values()}
    for task, part in config.get("pretrain", {}).get("comparison", {}).get("tasks", {}).items():
        where = f"pretrain.comparison.tasks.{task}.split"
        _one_of(where, part["split"], sorted(trained), "split of any base in pretrain.bases")


def _check_guide(config):
    for scheme, part in config.get("guide", {}).get("schemes", {}).items():
        _one_of(f"guide.schemes.{scheme}.scheme", part["scheme"], registry.names("guide.schemes"), "scout scheme")
        if part["shuffle_labels"] and part["minimum_held_out_accuracy"] > 0:
            where = f"guide.schemes.{scheme}.minimum_held_out_accuracy"
            raise InputError(f"config key {where}: scouts with shuffled labels learn nothing that holds; set it to 0")


def _check_fewshot(config):
    splits = config.get("corpus", {}).get("splits", {})
    bases = config.get("pretrain", {}).get("bases", {})
    fewshot = config.get("fewshot", {})
    if fewshot:
        _check_methods(fewshot, config["guide"])
    for task, part in fewshot.get("tasks", {}).items():
        _one_of(f"fewshot.tasks.{task}.split", part["split"], splits, "split of corpus.splits")
        trained = {base["split"] for base in bases.values()}
        _one_of(f"fewshot.tasks.{task}.split", part["split"], sorted(trained), "split of any base in pretrain.bases")
        if part["classes"] and len(part["classes"]) < max([way for way in part["ways"] if way != "all"], default=2):
            raise InputError(f"config key fewshot.tasks.{task}.ways: more than the {len(part['classes'])} classes")
        wanted, key = (part["seeds"], f"tasks.{task}.seeds") if part["seeds"] else (fewshot["seeds"], "seeds")
        fewest = min(1 + len(base["further_seeds"]) for base in bases.values() if base["split"] == part["split"])
        if wanted > fewest:
            raise InputError(f"config key fewshot.{key}: a base of the task {task} has {fewest} seeds only")
    for section in ("fewshot", "own_study"):
        fitting = config.get(section, {}).get("fitting", {"candidates": {}})
        counts = {key: len(candidates(fitting, key)) for key in fitting["candidates"]}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{key} {count}" for key, count in counts.items())
            raise InputError(
                f"config key {section}.fitting.candidates: every method must have as many, so that none is tuned more; "
                f"learning rates count once for each of {section}.fitting.steps. Now: {told}"
            )


def _check_own_study(config):
    """Methods of a study of the user's own, and tables that must be given together; fills in what is tested."""
    own = config.get("own_study")
    if not own:
        return
    for method in own["methods"]:
        _one_of("own_study.methods", method, registry.names("fewshot.methods"), "method")
        guide = registry.declared("fewshot.methods", method, "GUIDE")
        if guide and not guide.startswith("guide_scheme/"):
            raise InputError(f"config key own_study.methods: {method} needs {guide}, which no packed model has")
    first = own["methods"][0]
    if registry.declared("fewshot.methods", first, "CANDIDATES") not in LEARNING_RATES:
        raise InputError(
            f"config key own_study.methods: the first one, {first}, is not trained by gradient, so that its decision "
            "cannot be explained by genes; put such a method first"
        )
    if own["tested_methods"] is None:
        own["tested_methods"] = [method for method in own["methods"] if method in (first, "pca_logistic")]
    for method in own["tested_methods"]:
        _one_of("own_study.tested_methods", method, own["methods"], "method of own_study.methods")
    if not own["labels"] and not own["counts"].lower().endswith(".h5ad"):
        raise InputError("config key own_study.labels: is needed unless the counts are an .h5ad")


def _check_network(config):
    splits = config.get("corpus", {}).get("splits", {})
    bases = config.get("pretrain", {}).get("bases", {})
    graphs = config.get("network", {}).get("graphs", {})
    for graph, part in graphs.items():
        _one_of(f"network.graphs.{graph}.kind", part["kind"], registry.names("network.kinds"), "kind of graph")
        if "corpus" in part["kind"]:
            _one_of(f"network.graphs.{graph}.split", part.get("split"), splits, "split of corpus.splits")
        if part["screen"]:
            cells = [name for name, screen in config.get("screens", {}).items() if screen["kind"] == "cells"]
            _one_of(f"network.graphs.{graph}.screen", part["screen"], cells, "screen of cells")
        for other in part["of"]:
            own = [name for name, given in graphs.items() if not given["of"]]
            _one_of(f"network.graphs.{graph}.of", other, own, "graph that is not itself made of others")
    embeddings = config.get("network", {}).get("embeddings", {})
    for name, part in embeddings.items():
        known = registry.names("network.embeddings")
        _one_of(f"network.embeddings.{name}.kind", part["kind"], known, "kind of embedding")
        if "corpus" in part["kind"]:
            _one_of(f"network.embeddings.{name}.split", part.get("split"), splits, "split of corpus.splits")
        if part["kind"] == "base_model":
            _one_of(f"network.embeddings.{name}.base", part.get("base"), bases, "base of pretrain.bases")


def _check_screens(config):
    """Screens, what is predicted of them, and the design of a new one."""
    graphs = config.get("network", {}).get("graphs", {})
    embeddings = config.get("network", {}).get("embeddings", {})
    perturbation = config.get("perturbation", {})
    for screen, part in perturbation.get("screens", {}).items():
        _one_of(f"perturbation.screens.{screen}", screen, config["screens"], "screen")
        for graph in part["graphs"]:
            _one_of(f"perturbation.screens.{screen}.graphs", graph, graphs, "graph of network.graphs")
        for name in part["embeddings"]:
            _one_of(f"perturbation.screens.{screen}.embeddings", name, embeddings, "embedding of network.embeddings")
    for predictor in perturbation.get("predictors", []):
        _one_of("perturbation.predictors", predictor, registry.names("perturbation.predictors"), "predictor")
    for screen, part in config.get("screens", {}).items():
        if (part["path"] is None) == (part["catalogue"] is None):
            raise InputError(f"config key screens.{screen}: give either path or catalogue")
    if "design" in config:
        _one_of("design.graph", config["design"]["graph"], graphs, "graph of network.graphs")
    for name, part in config.get("perturbation", {}).get("transfer", {}).items():
        cells = [screen for screen, own in config["screens"].items() if own["kind"] == "cells"]
        for side in ("source", "target"):
            _one_of(f"perturbation.transfer.{name}.{side}", part[side], cells, "screen of cells")
        _one_of(f"perturbation.transfer.{name}.graph", part["graph"], graphs, "graph of network.graphs")


def _check_selection(config):
    graphs = config.get("network", {}).get("graphs", {})
    selection = config.get("selection", {})
    for screen, part in selection.get("screens", {}).items():
        _one_of(f"selection.screens.{screen}", screen, config["screens"], "screen")
        for graph in [*part["selection_graphs"], *(part["prior_graphs"] or []), part["prediction_graph"]]:
            _one_of(f"selection.screens.{screen}", graph, graphs, "graph of network.graphs")
    if selection:
        _check_selectors(selection)
        _check_models(selection, config["screens"])
    for predictor in selection.get("predictors", []):
        _one_of("selection.predictors", predictor, registry.names("perturbation.predictors"), "predictor")


def _check_selectors(selection):
    """Selectors by their names, each in one job, with others that work alike."""
    seen = set()
    for job, names in ways.selector_jobs(selection["selectors"]).items():
        for name in names:
            _one_of("selection.selectors", ways.parts(name)[0], registry.names("selection.selectors"), "selector")
            if name in seen:
                raise InputError(f"config key selection.selectors: '{name}' is there twice")
            seen.add(name)
        if len({ways.declared(name, "ROUNDS") for name in names}) > 1:
            raise InputError(
                f"config key selection.selectors.{job}: selectors in one shot and in rounds; divide the list"
            )
    for name in selection["stability"]["selectors"]:
        known = [entry for entry in registry.names("selection.selectors") if ways.one_shot_on_graph(entry)]
        _one_of("selection.stability.selectors", name, known, "selector in one shot that works on a graph")


def _check_models(selection, screens):
    """Models between rounds by their names, and that the screens have what they are trained on."""
    known = registry.names("selection.surrogates")
    _one_of("selection.rounds.model", selection["rounds"]["model"], known, "model")
    for name in [name for names in ways.selector_jobs(selection["selectors"]).values() for name in names]:
        model = ways.parts(name)[1]
        if model is not None:
            _one_of(f"selection.selectors.{name}", model, known, "model")
        if not ways.declared(name, "ROUNDS"):
            if model is not None:
                raise InputError(f"config key selection.selectors: '{name}' chooses in one shot, without a model")
            continue
        model = model or selection["rounds"]["model"]
        without = [screen for screen in selection["screens"] if screens[screen]["kind"] != "cells"]
        if without and "cells" in registry.declared("selection.surrogates", model, "NEEDS"):
            raise InputError(
                f"config key selection.selectors: '{name}' trains {model} on single cells, which screen {without[0]} "
                "does not have; use the model graph_process, or give that screen a config of its own"
            )


def _check_methods(fewshot, guide):
    """Methods of the few-shot comparison, of all tasks and of single ones, and the scouts whose guides they need."""
    known = registry.names("fewshot.methods")
    meta = guide.get("meta", {})
    schemes = guide["schemes"]
    if meta:
        _one_of("guide.meta.scheme", meta["scheme"], schemes, "scheme of guide.schemes")
    _one_of("fewshot.guide_scheme", fewshot["guide_scheme"], schemes, "scheme of guide.schemes")
    lists = {"fewshot.methods": fewshot["methods"]}
    lists |= {f"fewshot.tasks.{task}.methods": part["methods"] for task, part in fewshot["tasks"].items()}
    for where, methods in lists.items():
        for method in methods:
            _one_of(where, method, known, "method")
            needed = registry.declared("fewshot.methods", method, "GUIDE")
            if needed is not None:
                key = needed.split("/")[0]
                if key == "meta":
                    if not meta:
                        raise InputError(f"config key guide.meta: is missing, and {where} has {method}, which needs it")
                    continue
                what = f"scheme of guide.schemes; {method} needs one"
                _one_of(f"fewshot.{key}", fewshot[key], schemes, what)


def _check_archive(config):
    """Combinations of keys of the archive and the user's studies that cannot work."""
    archive, demo = config.get("archive"), config.get("demo")
    if not archive:
        return
    if demo and archive["organism"] != "mouse":
        raise InputError("config key archive.organism: the generated archive (section demo) is of mouse")
    if demo and demo["perturbations"] * 4 > demo["genes"]:
        raise InputError("config key demo.perturbations: more than a quarter of demo.genes")
    both = sorted(set(archive["studies"] or []) & set(archive["excluded_studies"]))
    if both:
        raise InputError(f"config key archive.excluded_studies: {', '.join(both)} is also in archive.studies")
    letters = {"mouse": "M", "human": "GFRES"}[archive["organism"]]
    if archive["annotation"][0] not in letters:
        raise InputError(f"config key archive.annotation: '{archive['annotation']}' is none of {archive['organism']}")
    for mirror in archive["mirrors"]:
        generated = mirror.startswith(f"results/{config['name']}/")
        if "://" not in mirror and not generated and not Path(mirror).is_dir():
            raise InputError(f"config key archive.mirrors: there is no folder '{mirror}'")
    names = [study["name"] for study in config.get("user_studies", [])]
    if "corpus" in names:
        raise InputError("config key user_studies: a study cannot be named 'corpus', its embedding would be ambiguous")
    for study in config.get("user_studies", []):
        key, other = f"config key user_studies: '{study['name']}'", study["organism"] not in (None, archive["organism"])
        if names.count(study["name"]) > 1:
            raise InputError(f"config key user_studies: two studies are named '{study['name']}'")
        if study["label_columns"] and not study["labels"] and not study["counts"].lower().endswith(".h5ad"):
            raise InputError(f"{key} has label_columns, but no table of labels")
        if other and not (study["annotation"] and config["corpus"]["orthologues"]):
            raise InputError(
                f"{key} is of {study['organism']}, the archive of {archive['organism']}: it needs its own "
                "`annotation`, and `corpus.orthologues`"
            )
        if study["annotation"] and not other:
            raise InputError(f"{key} has an annotation of its own, but is of the archive's organism")


def _check_corpus(config):
    """Combinations of keys of the corpus that cannot work."""
    corpus = config.get("corpus")
    if not corpus:
        return
    if "archive" not in config and not corpus["joined"]:
        raise InputError(
            "config key corpus: this section needs the section 'archive', or other runs' corpora under corpus.joined"
        )
    for folder in corpus["joined"]:
        for name in ("corpus.h5ad", "attributes.parquet", "metadata.parquet"):
            if not (Path(folder) / name).is_file():
                raise InputError(f"config key corpus.joined: there is no file '{folder}/{name}'; finish that run first")
    for split, part in corpus["splits"].items():
        total = sum(part["shares"].values())
        if total and abs(total - 1) > 1e-9:
            raise InputError(f"config key corpus.splits.{split}.shares: they add up to {total:g}, not to 1")
