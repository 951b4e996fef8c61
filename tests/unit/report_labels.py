"""The made-up run of the report's tests: what its files are of."""

# What each file of the lists is of, as the rule says it.
LABELS = {
    "manifests": [{"batch": "batch_0"}, {"batch": "batch_1"}],
    **{f"pretrain_{name}": [{"base": "mlp"}] for name in ("history", "evaluation")},
    **{f"pretrain_{name}": [{"base": "mlp", "task": "tissue"}] for name in ("scores", "contrasts")},
    "pretrain_embeddings": [{"base": "mlp", "dataset": "mine"}],
    "guide_json": [{"base": "mlp", "scheme": "pairs", "guide": guide} for guide in ("global", "per_tensor")],
    **{name: [{"base": "mlp", "scheme": "pairs"}] for name in ("scout_accuracy", "gene_mobility")},
    **{name: [{"graph": "annotation"}] for name in ("graphs", "graph_json")},
    **{name: [{"screen": "demo"}] for name in ("screen_cells", "screen_pseudobulk", "screen_genes")},
    **{f"selection_{name}": [{"screen": "demo"}] for name in ("coverage", "stability", "costs")},
}
