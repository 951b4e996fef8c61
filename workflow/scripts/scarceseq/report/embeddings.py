"""Pre-training's use: how well held-out studies are classified from the frozen embedding and from simpler features."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scarceseq.pretrain.comparison.contrasts import FLOORS
from scarceseq.report import style
from scarceseq.report.blocks import Paragraph, Picture, Table
from scarceseq.report.forest import forest_figure
from scarceseq.report.inputs import Inputs
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import count, span, words
from scarceseq.seals import checked

NAMES = {
    "embedding": "frozen embedding",
    "principal_components": "principal components",
    "genes": "all genes",
    "random_encoder": "untrained encoder",
    "majority": "most frequent class",
    "study_identity": "study's identity alone",
}


CONTRAST_COLUMNS = ["base", "task", "protocol", "against", "mean", "mean_against", "difference", "low", "high"]
CONTRAST_COLUMNS += ["studies", "seeds", "interval"]


def study_means(scores: pd.DataFrame) -> pd.DataFrame:
    """Balanced accuracy by method, seed and study: base, task, method, seed, study, value; mean over divisions."""
    return scores.groupby(["base", "task", "method", "seed", "study"], as_index=False)["value"].mean()


@style.styled
def methods_figure(means: pd.DataFrame) -> Figure:
    """Each study's balanced accuracy (pale) and the mean of each pre-training seed, one panel per base and task."""
    panels = list(means.groupby(["base", "task"], sort=True))
    drawn, axes = style.figure(2.0 + 3.8 * len(panels), 2.7, columns=len(panels), sharey=True, sharex=True)
    for ax, ((base, task), rows) in zip(axes[0], panels, strict=True):
        for place, method in enumerate(NAMES):
            values = rows[rows["method"] == method]
            of_study = values.groupby("study")["value"].mean()
            spread = np.linspace(-0.22, 0.22, len(of_study))
            pale = ax.scatter(of_study, place + spread, s=9, color=style.LIGHT, lw=0)
            style.tell(pale, NAMES[method], [f"{NAMES[method]}, study {k}: {text_of(v)}" for k, v in of_study.items()])
            colour = style.BLUE if place == 0 else style.ORANGE if method not in FLOORS else style.GREY
            of_seed = values.groupby("seed")["value"].mean()
            look = {"s": 34, "marker": "D", "color": colour, "alpha": 0.75, "lw": 0, "zorder": 3}
            diamonds = ax.scatter(of_seed, [place] * len(of_seed), **look)
            texts = [f"{NAMES[method]}, mean over studies, seed {k}: {text_of(v)}" for k, v in of_seed.items()]
            style.tell(diamonds, NAMES[method], texts)
        ax.set(xlabel="balanced accuracy", title=f"{words(task)} (base {base})", xlim=(-0.02, 1.02))
        ax.grid(True, axis="x")
    axes[0, 0].set_yticks(range(len(NAMES)), list(NAMES.values()))
    axes[0, 0].invert_yaxis()
    return drawn


def blocks(inputs: Inputs) -> list:
    """Blocks of the comparison and of the embeddings that were written; empty if there are none."""
    contrasts = inputs.values("pretrain_contrasts")
    shown: list = [Paragraph(comparison["verdict"], "finding") for _, comparison in contrasts]
    rows = [{**labels, **row} for labels, comparison in contrasts for row in comparison["contrasts"]]
    if rows:
        shown += _comparison_blocks(inputs.stacked("pretrain_scores"), pd.DataFrame(rows))
    if inputs.has("pretrain_embeddings"):
        shown.append(_embedding_table(inputs.labelled("pretrain_embeddings")))
    return shown


def _comparison_blocks(scores: pd.DataFrame, contrasts: pd.DataFrame) -> list[Picture | Table]:
    means = study_means(scores)
    contrasts = contrasts.astype({"low": float, "high": float})
    several = contrasts["base"].nunique() > 1
    names = [
        f"{words(row.task)}: embedding − {NAMES[row.against]}" + (f" ({row.base})" if several else "")
        for row in contrasts.itertuples()
    ]
    picture = Picture(
        "pretrain_methods",
        methods_figure(means),
        "Telling labels of held-out studies",
        "Diamonds: mean over studies, one per pre-training seed where a method depends on it; pale dots: each study. "
        "All but the floors end in a logistic regression with as many candidates, chosen on validation studies.",
        span(means.groupby(["base", "task"])["study"].nunique(), "test study", "test studies") + ".",
        "The same few studies test all methods: judge by the paired differences below. A floor that is high means that "
        "studies differ in their classes more than in their samples.",
    )
    forest = Picture(
        "pretrain_comparison",
        forest_figure(contrasts, names, "difference in balanced accuracy"),
        "What the embedding adds",
        "Paired difference, embedding minus its rival, over the same divisions, with its interval over studies and "
        "seeds. Coloured where the interval leaves out zero.",
        f"{span(contrasts['studies'], 'study', 'studies')}, {span(contrasts['seeds'], 'pre-training seed')}.",
        "A base whose objectives include the label itself has seen labels of other studies that its rivals have not.",
    )
    table = means.groupby(["base", "task", "method", "seed"], as_index=False)["value"].mean()
    return [
        picture,
        forest,
        Table("pretrain_contrasts", contrasts[CONTRAST_COLUMNS], "Embedding against simpler features"),
        Table("pretrain_method_means", table, "Mean balanced accuracy by method and seed"),
        Table("pretrain_method_scores", scores, "Balanced accuracy in each division"),
    ]


def _embedding_table(files: list[tuple[Mapping[str, str], Path]]) -> Table:
    rows = []
    for labels, path in files:
        with h5py.File(checked(path)) as handle:
            samples, width = handle["X"].shape
            share = float(handle["uns/share_of_genes_found"][()])
        rows.append({**labels, "samples": samples, "width": width, "genes_found": share})
    note = (
        f"{count(len(rows), 'file')} in `pretrain/<base>/embeddings/`, which anndata opens. Genes found: the share of "
        "the model's genes that the table has; the others are put at their mean."
    )
    return Table("pretrain_embeddings", pd.DataFrame(rows), "Embeddings", note)
