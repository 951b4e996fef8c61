"""Former names of few-shot methods and selectors: refused in a config with today's name, and kept as keys of seeds."""

from scarceseq.errors import InputError

CLASSIFIERS = (
    *("logistic", "elastic_net", "knn", "linear_svm", "diagonal_discriminant", "random_forest", "simpleshot"),
    "nearest_centroid",
)
# Today's name -> the former one.
METHODS = {
    f"{name}@{features}": f"{features}_{name}" for features in ("genes", "pca", "embedding") for name in CLASSIFIERS
}
METHODS |= {
    "nearest_centroid@genes": "nearest_centroid",
    "logistic@ranks": "ranks_logistic",
    "logistic@scaled_genes": "genes_prior_logistic",
    "simpleshot@protonet": "protonet",
    "full_fine_tuning@reptile": "reptile",
    "guided@meta_sgd": "meta_sgd",
    "guided@aruba": "aruba",
    "guided@per_tensor": "guided_per_tensor",
    "guided@global": "guided_global",
    "guided@fisher": "fisher_guide",
    "guided@shuffled_scouts": "shuffled_scouts_guide",
    "guided_adamw@per_tensor": "guided_adamw",
    "guide_prior@per_tensor": "gtl_prior",
    "paper_literal@per_tensor": "paper_literal",
    "mean_rate@per_tensor": "scalar_mean_rate",
    "mean_rate@global": "scalar_mean_rate_global",
    "tensor_mean_rate@per_tensor": "tensor_mean_rate",
    "tensor_mean_rate@global": "tensor_mean_rate_global",
    "permuted@per_tensor": "permuted_guide",
    "permuted@global": "permuted_guide_global",
    "permuted_within_gene@per_tensor": "permuted_within_gene",
    "inverse@per_tensor": "inverse_guide",
    "rank_one@per_tensor": "rank_one_guide",
    "top_share@per_tensor": "top_share_guide",
}
SELECTORS = {
    f"reach@{kind}": f"reach_{kind}"
    for kind in ("candidates", "halving", "out", "soft", "tests", "undirected", "usage")
}


def seed_key(selector: str) -> str:
    """The name that draws of a selector are seeded by: its first one, so that a new name changes no draw."""
    return SELECTORS.get(selector, selector)


def refuse_former(where: str, name: str, former: dict[str, str]) -> None:
    """Raise `InputError` for a former name, which says today's; `where` is the config key."""
    for today, old in former.items():
        if old == name:
            raise InputError(f"config key {where}: `{name}` is now called `{today}`")
