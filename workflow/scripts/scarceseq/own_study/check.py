"""Whether the keys of the section `own_study` fit together."""

from typing import Any

from scarceseq.checks import one_of
from scarceseq.config import method_names
from scarceseq.config.candidates import LEARNING_RATES
from scarceseq.errors import InputError
from scarceseq.fewshot.check import check_candidates


def check(config: dict[str, Any]) -> None:
    """Refuse methods that a packed model cannot serve, and counts without labels."""
    own = config.get("own_study")
    if not own:
        return
    for method in own["methods"]:
        method_names.check("own_study.methods", method)
        guide = method_names.learned(method)
        if guide and not guide.startswith("guide_scheme/"):
            raise InputError(f"config key own_study.methods: {method} needs {guide}, which no packed model has")
    first = own["methods"][0]
    if method_names.candidates_key(first) not in LEARNING_RATES:
        raise InputError(
            f"config key own_study.methods: the first one, {first}, is not trained by gradient, so that its decision "
            "cannot be explained by genes; put such a method first"
        )
    for method in own["tested_methods"] or []:
        method_names.check("own_study.tested_methods", method)
        one_of("own_study.tested_methods", method, own["methods"], "method of own_study.methods")
    if not own["labels"] and not own["counts"].lower().endswith(".h5ad"):
        raise InputError("config key own_study.labels: is needed unless the counts are an .h5ad")
    check_candidates("own_study", own["fitting"])


def fill_in_tested(config: dict[str, Any]) -> None:
    """Say which methods are tested where the config leaves it open: the first one, and principal components."""
    own = config.get("own_study")
    if own and own["tested_methods"] is None:
        own["tested_methods"] = [method for method in own["methods"] if method in (own["methods"][0], "logistic@pca")]
