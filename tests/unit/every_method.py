"""Few-shot methods that cover every entry of their registries, those of a new file included."""

from scarceseq import registry
from scarceseq.config import method_names

FEATURES = registry.names(method_names.FEATURES)
ESTIMATED = [
    *(f"{name}@{kind}" for name in registry.names(method_names.CLASSIFIERS) for kind in ("genes", "pca", "embedding")),
    *(f"logistic@{kind}" for kind in FEATURES if kind not in ("genes", "pca", "embedding")),
    "simpleshot@protonet",
]


def _guided(name):
    return registry.declared(method_names.FINE_TUNING, name, "GUIDED", False)


TRAINED = [
    *(f"{name}@per_tensor" if _guided(name) else name for name in registry.names(method_names.FINE_TUNING)),
    *("guided@global", "permuted@global", "guided@meta_sgd", "full_fine_tuning@reptile"),
]
NAMES = [*TRAINED, *ESTIMATED]
