"""Corpus: size and depth of the samples, how studies separate, and the roles of studies."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from scarceseq.archive.filters import DROPPED_COLUMNS
from scarceseq.corpus.transform import measured_or_mean
from scarceseq.report import corpus_figures, projection, style
from scarceseq.report.archive import UNLISTED, reason_words
from scarceseq.report.blocks import Block, Paragraph, Picture, Section, Table
from scarceseq.report.corpus_figures import Panel
from scarceseq.report.inputs import Inputs
from scarceseq.report.joins import user_blocks
from scarceseq.report.wording import count, listed, words
from scarceseq.seals import load_rows

SPELLINGS = 200
SAMPLE_LIMIT = 600


def study_table(samples: pd.DataFrame) -> pd.DataFrame:
    """Per study: samples, median library size, genes detected and share of zeros.

    `samples`: sample, study, organism, source, unit, library_size, genes_detected, zero_fraction.
    """
    groups = samples.groupby(["study", "organism", "source", "unit"], sort=True)
    return groups.agg(
        samples=("sample", "size"),
        median_library_size=("library_size", "median"),
        median_genes_detected=("genes_detected", "median"),
        median_zero_share=("zero_fraction", "median"),
    ).reset_index()


def runs_table(samples: pd.DataFrame, dropped: pd.DataFrame) -> pd.DataFrame:
    """Per study: runs that were looked at and runs that are in the corpus.

    `samples`: study, runs (comma-joined); `dropped`: study, run, reason, value.
    """
    kept = (samples["runs"].astype(str).str.count(",") + 1).groupby(samples["study"].astype(str)).sum()
    lost = dropped.loc[dropped["reason"] != UNLISTED].groupby("study").size()
    table = pd.DataFrame({"kept": kept, "dropped": lost}).fillna(0).astype(int)
    table.insert(0, "runs", table["kept"] + table["dropped"])
    return table.rename_axis("study").reset_index()


def reason_table(dropped: pd.DataFrame) -> pd.DataFrame:
    """Per reason: runs that were dropped, and studies that they are of; most runs first."""
    table = dropped.groupby("reason").agg(runs=("run", "size"), studies=("study", "nunique")).reset_index()
    table["meaning"] = [reason_words(reason) for reason in table["reason"]]
    return table.sort_values(["runs", "reason"], ascending=[False, True], ignore_index=True)


def copies_sentence(reasons: pd.DataFrame) -> str:
    """How many runs were left out because their sample is in the corpus already, under another name.

    `reasons` is from `reason_table`.
    """
    runs = reasons.set_index("reason")["runs"]
    exact, near = (int(runs.get(reason, 0)) for reason in ("duplicate_content", "near_copy"))
    return (
        f"The same sample twice: {count(exact, 'run')} of equal counts and {count(near, 'run')} of the same reads in "
        "other numbers (scaled, thinned, counts changed) were left out, so that no sample is on two sides of a split."
    )


def role_table(splits: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Per split and role: number of studies and of samples."""
    sizes = samples.groupby("study").size().rename("samples")
    studies = splits.merge(sizes, left_on="study", right_index=True, how="left").fillna({"samples": 0})
    order = [*style.ROLE_COLOURS, *sorted(set(studies["role"]) - set(style.ROLE_COLOURS))]
    studies["role"] = pd.Categorical(studies["role"], order, ordered=True)
    groups = studies.groupby(["split", "role"], observed=True)
    table = groups.agg(studies=("study", "nunique"), samples=("samples", "sum"))
    return table.reset_index().astype({"role": str, "samples": int})


def label_keys(settings: Mapping[str, Any], attributes: pd.DataFrame) -> list[str]:
    """Attributes that samples are coloured by: tissue, and the label of the first few-shot task (cross-study first)."""
    tasks = list(settings.get("fewshot", {}).get("tasks", {}).values())
    tasks.sort(key=lambda task: task.get("protocol") != "cross_study")
    keys = dict.fromkeys(["tissue", *(task["label"] for task in tasks[:1])])
    return [key for key in keys if key in set(attributes["key"])]


def section(inputs: Inputs, settings: Mapping[str, Any]) -> Section | None:
    """Section of the page, or None if the run made no corpus."""
    if not inputs.has("samples"):
        return None
    samples = inputs.table("samples")
    studies = study_table(samples)
    blocks: list[Block] = [Paragraph(_summary(inputs, samples)), _depth_picture(inputs, samples)]
    if inputs.has("dropped_runs"):
        reasons = reason_table(inputs.table("dropped_runs"))
        blocks += [*_dropped_blocks(reasons), Paragraph(copies_sentence(reasons))]
    blocks += [*_vocabulary_blocks(inputs), *user_blocks(inputs)]
    splits = inputs.stacked("splits")
    if inputs.has("splits"):
        note = "A study has one role in a split, so that no study is both learnt from and tested on."
        blocks.append(Table("corpus_roles", role_table(splits, samples), "Roles of studies", note))
    if inputs.has("training"):
        blocks += _map_blocks(inputs, samples, splits, settings)
    blocks.append(Table("corpus_studies", studies, "All studies of the corpus"))
    return Section("corpus", "Corpus", blocks)


def _summary(inputs: Inputs, samples: pd.DataFrame) -> str:
    studies = count(samples["study"].nunique(), "study", "studies")
    text = f"{count(len(samples), 'sample')} of {studies} passed the filters"
    text += f"; the training matrix holds {len(inputs.table('genes')):,} genes." if inputs.has("genes") else "."
    pairs = inputs.stacked("orthologues")
    if len(pairs):
        used = int((pairs["use"] == "used").sum())
        text += (
            f" Studies of {listed(sorted(samples['organism'].astype(str).unique()))} are joined by {used:,} one-to-one "
            f"pairs of genes, of {len(pairs):,} pairs in the table of orthologues."
        )
    return text


def _depth_picture(inputs: Inputs, samples: pd.DataFrame) -> Picture:
    dropped = inputs.table("dropped_runs") if inputs.has("dropped_runs") else pd.DataFrame(columns=DROPPED_COLUMNS)
    runs = runs_table(samples, dropped)
    return Picture(
        "corpus_depth",
        corpus_figures.depth_figure(samples, runs),
        "Depth and size",
        "Each bar counts samples (right: studies). Library size is the sum over genes, in the unit of the source: "
        "bases covered for the archive, reads for a supplied table. Right: runs of a study before and after filters.",
        f"{len(samples):,} samples, {samples['study'].nunique():,} studies; {int(runs['runs'].sum()):,} runs of "
        f"{len(runs):,} studies looked at, {int(runs['kept'].sum()):,} in the corpus.",
        "Two humps in one unit point to mixed protocols or truncated downloads; a long left tail to runs that a "
        "stricter filter would drop.",
    )


def _dropped_blocks(reasons: pd.DataFrame) -> list[Paragraph | Picture | Table]:
    if reasons.empty:
        return [Paragraph("No run was dropped.")]
    picture = Picture(
        "corpus_dropped",
        corpus_figures.dropped_figure(reasons),
        "What was dropped, and why",
        "Runs by the first reason that holds; a run is dropped once. The thresholds are keys of corpus.runs.",
        f"{int(reasons['runs'].sum()):,} runs.",
        "A reason that takes far more than in other runs of the workflow points to a wrong threshold or to tables that "
        "lack a column.",
    )
    return [picture, Table("corpus_reasons", reasons, "Runs dropped, by reason")]


def vocabulary_sentence(use: pd.DataFrame) -> str:
    """How many samples' spellings led to a term; `use` is from `scarceseq.corpus.vocabulary.Terms.use`."""
    attributes = []
    for name, rows in use.groupby("attribute", sort=True):
        over = rows[rows["term"].isna() | (rows["term"] == "")]
        named = rows["samples"].sum() - over["samples"].sum()
        attributes.append(
            f"{name}: {count(int(named), 'sample')} in {rows['term'].replace('', None).nunique():,} terms, "
            f"{count(int(over['samples'].sum()), 'sample')} in {count(len(over), 'spelling')} left over"
        )
    return f"What authors wrote was brought to a vocabulary ({'; '.join(attributes)})."


def _vocabulary_blocks(inputs: Inputs) -> list[Paragraph | Table]:
    use = inputs.stacked("vocabulary")
    if use.empty:
        return []
    note = "Most frequent spellings; all are in corpus/vocabulary.tsv. Add what is left over to a table of your own."
    shown = use.sort_values("samples", ascending=False, kind="stable").head(SPELLINGS)
    table = Table("corpus_vocabulary", shown, "Spellings and their terms", note)
    return [Paragraph(vocabulary_sentence(use)), table]


def _map_blocks(
    inputs: Inputs, samples: pd.DataFrame, splits: pd.DataFrame, settings: Mapping[str, Any]
) -> list[Paragraph | Picture]:
    kind = settings.get("report", {}).get("embedding", "pca")
    rows = projection.choose_rows(len(samples), SAMPLE_LIMIT, settings.get("seed", 1))
    expression = measured_or_mean(load_rows(inputs.path("training"))[rows])
    scores, share = projection.principal_components(expression, projection.UMAP_COMPONENTS if kind == "umap" else 2)
    shown = samples.iloc[rows].reset_index(drop=True)
    panels, split = _panels(inputs, shown, splits, settings)
    drawn = f"{len(rows):,} of {len(samples):,} samples" + (" (drawn at random)." if len(rows) < len(samples) else ".")
    roles = f"Roles are those of the split '{split}'. " if split else ""
    names = [f"component {axis + 1} ({share[axis]:.0%} of variance)" for axis in (0, 1)]
    looking = "it includes test studies and is for looking only: nothing is fitted or chosen from it."
    pictures = [
        Picture(
            "corpus_projection",
            corpus_figures.map_figure(scores[:, :2], names, panels, shown["sample"]),
            "Samples on two principal components",
            "Each point is a sample: principal components of log2(TPM + 1) over the training genes, centred, not "
            f"scaled. {roles}Points of one study close together are a batch effect or a shared biology; colours by "
            "label help to tell which.",
            drawn,
            f"A picture of two components hides the rest; {looking}",
        )
    ]
    if kind == "umap":
        places = projection.umap(scores, settings.get("seed", 1))
        pictures.append(
            Picture(
                "corpus_umap",
                corpus_figures.map_figure(places, ["UMAP 1", "UMAP 2"], panels, shown["sample"]),
                "Samples by UMAP",
                f"Each point is a sample: UMAP of its first {scores.shape[1]} principal components, seeded. Neighbours "
                "are alike.",
                drawn,
                f"Distances between groups and their sizes mean nothing here; {looking}",
            )
        )
    between = projection.share_between(scores[:, :2], shown["study"])
    finding = (
        f"Studies differ: {between[0]:.0%} of the variance along the first component and {between[1]:.0%} along the "
        "second lies between studies rather than within them."
    )
    return [*pictures, Paragraph(finding, "finding")]


def _panels(
    inputs: Inputs, shown: pd.DataFrame, splits: pd.DataFrame, settings: Mapping[str, Any]
) -> tuple[list[Panel], str | None]:
    """What samples are coloured by, and the split that roles are of."""
    panels, split = [], None
    if inputs.has("splits"):
        split = sorted(splits["split"].unique())[0]
        roles = splits[splits["split"] == split].set_index("study")["role"]
        role = shown["study"].astype(str).map(roles).fillna("no role")
        panels.append(Panel("By role of the study", role, {**style.ROLE_COLOURS, "no role": style.LIGHT}))
    if shown["organism"].nunique() > 1:
        panels.append(Panel("By organism", shown["organism"].astype(str)))
    panels.append(Panel("By study: the 8 largest", shown["study"].astype(str)))
    if inputs.has("attributes"):
        attributes = inputs.table("attributes")
        for key in label_keys(settings, attributes):
            of_samples = attributes[attributes["key"] == key].drop_duplicates("sample").set_index("sample")["value"]
            title = f"By {words(key)}: the 8 most frequent"
            panels.append(Panel(title, shown["sample"].astype(str).map(of_samples)))
    return panels, split
