"""Whether the keys of the section `own_study` fit together."""

from typing import Any

from scarceseq.checks import one_of
from scarceseq.config import method_names
from scarceseq.config.candidates import LEARNING_RATES
from scarceseq.errors import InputError
from scarceseq.fewshot.check import check_candidates
from scarceseq.own_study.names import BEST_CANDIDATES, FEATURES_OF_GENE_SETS, FEATURES_OF_MODEL, features_named


def check(config: dict[str, Any]) -> None:
    """Refuse methods that a packed model cannot serve, and counts without labels."""
    section = config.get("own_study")
    if not section:
        return
    for method in section["methods"]:
        method_names.check("own_study.methods", method)
        guide = method_names.learned(method)
        if guide and not guide.startswith("guide_scheme/"):
            raise InputError(f"config key own_study.methods: {method} needs {guide}, which no packed model has")
    first = section["methods"][0]
    if method_names.candidates_key(first) not in LEARNING_RATES:
        raise InputError(
            f"config key own_study.methods: the first one, {first}, is not trained by gradient, so that its decision "
            "cannot be explained by genes; put such a method first"
        )
    for name in section["best_candidates"]:
        one_of("own_study.best_candidates", name, BEST_CANDIDATES, "classifier")
    if not any(name.endswith("_genes") for name in section["best_candidates"]):
        raise InputError("config key own_study.best_candidates: none of them is on genes; name one, logistic@top_genes")
    if not section["labels"] and not section["counts"].lower().endswith(".h5ad"):
        raise InputError("config key own_study.labels: is needed unless the counts are an .h5ad")
    if not section["model"] and not section["organism"]:
        raise InputError("config key own_study.organism: say mouse or human, as there is no model to take it from")
    check_candidates("own_study", section["fitting"])


def fill_in_candidates(config: dict[str, Any]) -> None:
    """Leave out classifiers on features that there are none of, and methods where there is no model."""
    section = config.get("own_study")
    if not section:
        return
    lacking = [] if section["model"] else [*FEATURES_OF_MODEL]
    lacking += [] if section["gene_sets"] else FEATURES_OF_GENE_SETS
    section["best_candidates"] = [name for name in section["best_candidates"] if features_named(name) not in lacking]
    if not section["model"]:
        section["methods"] = []
