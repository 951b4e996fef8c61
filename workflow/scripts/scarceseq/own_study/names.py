"""Names of the classifiers of which the best is chosen, in the config and in plain words, and of samples."""

from collections.abc import Iterable

FEATURES_OF_MODEL = ("embedding", "pca")
FEATURES_OF_GENE_SETS = ("gene_sets",)

BEST, BEST_OF_COUNTS, AVERAGE = "best", "best_of_counts", "average"

BEST_CANDIDATES = {
    "logistic@top_genes": "logistic regression on the most differential genes",
    "nearest_centroid@top_genes": "the nearest centroid on the most differential genes",
    "linear_svm@all_genes": "a linear support vector machine on all genes",
    "shrunken_centroids@all_genes": "shrunken centroids on all genes",
    "elastic_net@all_genes": "the elastic net on all genes",
    "random_forest@all_genes": "a random forest on all genes",
    "logistic@embedding": "logistic regression on the model's embedding",
    "logistic@pca": "logistic regression on the principal components of the model's studies",
    "logistic@gene_sets": "logistic regression on gene sets",
}
"""In plain words."""
PLAIN = BEST_CANDIDATES | {AVERAGE: "the average of several classifiers"}


def features_named(name: str) -> str:
    """What a classifier looks at: the end of its name."""
    return name.partition("@")[2]


def of_counts(names: list[str]) -> list[str]:
    """Those that see nothing of a model."""
    return [name for name in names if features_named(name) not in FEATURES_OF_MODEL]


def without_study(samples: Iterable[str], studies: Iterable[str]) -> list[str]:
    """What the user calls each sample: its name without that of the study before it."""
    return [name.removeprefix(f"{study}.") for name, study in zip(samples, studies, strict=True)]
