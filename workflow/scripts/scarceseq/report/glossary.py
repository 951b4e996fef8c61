"""Plain names of methods, and what each of them is: the first line of the file that defines it."""

import ast
import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.legend import Legend

from scarceseq import registry
from scarceseq.report import style
from scarceseq.report.wording import words

METHODS = {
    "adamw_fine_tuning": "fine-tuning by AdamW",
    "bitfit": "fine-tuning of biases",
    "child_tuning_d": "fine-tuning of informative weights",
    "child_tuning_f": "fine-tuning of random weights",
    "ewc": "fine-tuning held by importance",
    "fish_mask": "fine-tuning of few weights",
    "full_fine_tuning": "plain fine-tuning",
    "gene_variance_guide": "guide from gene variance",
    "guide_prior": "guide as a prior",
    "guided": "guided fine-tuning",
    "guided_adamw": "guided fine-tuning by AdamW",
    "inverse": "inverted guide",
    "l2_sp": "fine-tuning held near its start",
    "last_layer": "fine-tuning of the last layer",
    "last_two_layers": "fine-tuning of the last two layers",
    "layer_wise_decay": "slower early layers",
    "linear_probe": "linear head on the frozen network",
    "linear_probe_then_fine_tuning": "linear head, then fine-tuning",
    "lora": "low-rank adapters",
    "mean_rate": "fine-tuning at the guide's mean rate",
    "paper_literal": "guide as published code has it",
    "permuted": "shuffled guide",
    "permuted_within_gene": "guide shuffled within genes",
    "rank_one": "guide by gene and unit",
    "scratch": "network without pre-training",
    "tensor_mean_rate": "fine-tuning at the guide's mean rate by layer",
    "top_share": "guide of ones and zeros",
    "average": "average of ridge and nearest class mean",
    "diagonal_discriminant": "discriminant analysis",
    "elastic_net": "elastic net",
    "knn": "nearest neighbours",
    "linear_svm": "support vector machine",
    "logistic": "logistic regression",
    "nearest_centroid": "nearest class mean",
    "random_forest": "random forest",
    "ridge": "ridge regression",
    "top_genes": "nearest class mean on differing features",
    "simpleshot": "nearest class mean by angle",
}
SOURCES = {
    "embedding": "on the model's embedding",
    "genes": "on genes",
    "pca": "on principal components",
    "study_components": "on components within studies",
    "whitened": "on genes less their usual noise",
    "ranks": "on ranks of genes",
    "logs": "on unscaled genes",
    "log_ranks": "on ranks of unscaled genes",
    "roots": "on square roots of TPM",
    "floored_genes": "on genes scaled with a floor",
    "scaled_genes": "on scaled genes",
    "per_tensor": "(per layer)",
    "global": "(one scale)",
    "fisher": "(Fisher information)",
    "shuffled_scouts": "(scouts with shuffled labels)",
    "reptile": "from a Reptile start",
    "meta_sgd": "(Meta-SGD rates)",
    "aruba": "(ARUBA rates)",
    "protonet": "on a learned embedding",
}
ROOMS = ("fewshot.fine_tuning", "fewshot.classifiers", "selection.selectors", "perturbation.predictors")


def plain_method(name: str) -> str:
    """A few-shot method in plain words: 'logistic regression on principal components'."""
    entry, _, source = str(name).partition("@")
    text = METHODS.get(entry, words(entry))
    return f"{text} {SOURCES.get(source, f'on {words(source)}')}" if source else text


def explain(ax: Axes, methods: Iterable[str]) -> None:
    """Have the labels of rows tell what the methods are."""
    for label, method in zip(ax.get_yticklabels(), methods, strict=True):
        if text := meaning(method):
            style.tell(label, text)


def explain_legend(legend: Legend, methods: Mapping[str, str]) -> None:
    """Have the entries of a legend tell what they are; `methods` gives the method of a label."""
    for entry in legend.get_texts():
        if text := meaning(methods.get(entry.get_text(), "")):
            style.tell(entry, text)


@functools.cache
def meaning(name: str) -> str:
    """What a method, selector or predictor is: the first sentence of its file; empty if it is not one of ours."""
    entry = str(name).partition("@")[0]
    for room in ROOMS:
        if entry in registry.names(room):
            path = Path(registry.__file__).parent / room.replace(".", "/") / f"{entry}.py"
            first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
            return re.sub(r"\s+", " ", first).strip()
    return ""
