"""Corpus: size and depth of the samples, how studies separate, and the roles of studies."""

import numpy as np
import pandas as pd

from scarceseq.report import projection, style
from scarceseq.report.blocks import Paragraph, Picture, Section, Table
from scarceseq.report.wording import count, words

UNIT_WORDS = {"base_coverage": "bases covered", "read_counts": "reads counted"}
SAMPLE_LIMIT = 2000


def study_table(samples):
    """Per study: samples, median library size, genes detected and share of zeros.

    Parameters
    ----------
    samples : pandas.DataFrame
        sample, study, organism, source, unit, library_size, genes_detected, zero_fraction.
    """
    groups = samples.groupby(["study", "organism", "source", "unit"], sort=True)
    return groups.agg(
        samples=("sample", "size"),
        median_library_size=("library_size", "median"),
        median_genes_detected=("genes_detected", "median"),
        median_zero_share=("zero_fraction", "median"),
    ).reset_index()


def role_table(splits, samples):
    """Per split and role: number of studies and of samples."""
    sizes = samples.groupby("study").size().rename("samples")
    joined = splits.merge(sizes, left_on="study", right_index=True, how="left").fillna({"samples": 0})
    order = [*style.ROLE_COLOURS, *sorted(set(joined["role"]) - set(style.ROLE_COLOURS))]
    joined["role"] = pd.Categorical(joined["role"], order, ordered=True)
    table = joined.groupby(["split", "role"], observed=True).agg(
        studies=("study", "nunique"), samples=("samples", "sum")
    )
    table = table.reset_index().astype({"role": str, "samples": int})
    return table


@style.styled
def depth_figure(samples):
    """Histograms of library size (by unit, logarithmic) and of genes detected per sample."""
    drawn, axes = style.figure(8.6, 2.9, columns=3)
    sizes = samples["library_size"].to_numpy(float)
    positive = sizes[sizes > 0]
    edges = np.geomspace(positive.min() * 0.95, positive.max() * 1.05, 31) if len(positive) else np.array([1.0, 10.0])
    for colour, (unit, group) in zip(style.PALETTE, samples.groupby("unit", sort=True), strict=False):
        label = UNIT_WORDS.get(unit, words(unit))
        axes[0, 0].hist(group["library_size"], bins=edges, color=colour, alpha=0.8, label=label)
    style.logarithmic(axes[0, 0])
    unit = label if samples["unit"].nunique() == 1 else "bases or reads, see legend"
    axes[0, 0].set(xlabel=unit, ylabel="samples", title="Library size")
    if samples["unit"].nunique() > 1:
        axes[0, 0].legend(loc="best")
    axes[0, 1].hist(samples["genes_detected"], bins=30, color=style.BLUE, alpha=0.8)
    axes[0, 1].set(xlabel="genes above zero", ylabel="samples", title="Genes detected")
    style.plain_ticks(axes[0, 1].xaxis)
    counts = samples.groupby("study").size().sort_values(ascending=False)
    axes[0, 2].bar(np.arange(len(counts)), counts.to_numpy(), color=style.BLUE, alpha=0.8, width=1.0)
    axes[0, 2].set(xlabel="studies, largest first", ylabel="samples", title="Samples per study")
    return drawn


@style.styled
def projection_figure(scores, share, samples, roles, label=None):
    """Scatter plots of the first two principal components, coloured by role, by study and by label.

    Parameters
    ----------
    scores : numpy.ndarray (samples, 2)
    share : numpy.ndarray (2,)
    samples : pandas.DataFrame
        Rows in the order of `scores`; column study.
    roles : dict of str to str
        Role of each study.
    label : pandas.Series, optional
        Author-supplied label of each sample (missing allowed); its name is the title.
    """
    role = samples["study"].map(roles).fillna("no role")
    panels = [("By role of the study", role, {**style.ROLE_COLOURS, "no role": style.LIGHT}, 9)]
    panels.append(("By study: the 8 largest", samples["study"].astype(str), None, 8))
    if label is not None:
        panels.append((f"By {words(label.name)}: the 8 most frequent", label, None, 8))
    drawn, axes = style.figure(3.1 * len(panels), 4.2, columns=len(panels), sharex=True, sharey=True)
    for ax, (title, values, colours, most) in zip(axes[0], panels, strict=True):
        _scatter(ax, scores, values.reset_index(drop=True), colours, most)
        ax.set(xlabel=f"component 1 ({share[0]:.0%} of variance)", title=title)
    axes[0, 0].set_ylabel(f"component 2 ({share[1]:.0%} of variance)")
    return drawn


def _scatter(ax, scores, values, colours, most):
    named = (
        list(values.value_counts(sort=True).index[:most])
        if colours is None
        else [k for k in colours if k in set(values)]
    )
    rest = ~values.isin(named).to_numpy()
    if rest.any():
        ax.scatter(*scores[rest].T, s=7, color=style.LIGHT, linewidths=0, label="others", rasterized=False)
    for place, name in enumerate(named):
        chosen = (values == name).to_numpy()
        colour = colours[name] if colours else style.PALETTE[place % len(style.PALETTE)]
        marker = style.MARKERS[place % len(style.MARKERS)]
        text = f"{name} ({chosen.sum():,})"
        ax.scatter(*scores[chosen].T, s=12, color=colour, marker=marker, linewidths=0, alpha=0.8, label=text)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, handletextpad=0.1, columnspacing=0.8, fontsize=7.5
    )


def task_label(settings):
    """Label of the first few-shot task, cross-study tasks first; None without tasks."""
    tasks = list(settings.get("fewshot", {}).get("tasks", {}).values())
    tasks.sort(key=lambda task: task.get("protocol") != "cross_study")
    return tasks[0]["label"] if tasks else None


def section(inputs, settings):
    """Section of the page, or None if the run made no corpus."""
    if not inputs.has("samples"):
        return None
    samples = inputs.table("samples")
    genes = len(inputs.table("genes")) if inputs.has("genes") else None
    studies = study_table(samples)
    text = (
        f"{count(len(samples), 'sample')} of {count(samples['study'].nunique(), 'study', 'studies')} passed the filters"
    )
    text += f"; the training matrix holds {genes:,} genes." if genes else "."
    blocks = [Paragraph(text), _depth_picture(samples)]
    splits = inputs.table("splits") if inputs.has("splits") else None
    if splits is not None:
        note = "A study has one role in a split, so that no study is both learnt from and tested on."
        blocks.append(Table("corpus_roles", role_table(splits, samples), "Roles of studies", note))
    if inputs.has("training"):
        blocks += _projection_blocks(inputs, samples, splits, settings)
    blocks.append(Table("corpus_studies", studies, "All studies of the corpus", folded=True))
    facts = [(f"{len(samples):,}", "samples"), (f"{samples['study'].nunique():,}", "studies in the corpus")]
    return Section("corpus", "Corpus", blocks, facts)


def _depth_picture(samples):
    return Picture(
        "corpus_depth",
        depth_figure(samples),
        "Depth and size of the samples",
        "Each bar counts samples (right: one bar per study). Library size is the sum over genes, in the unit of the "
        "source: bases covered for the archive, reads for a supplied count table.",
        f"{len(samples):,} samples, {samples['study'].nunique():,} studies.",
        "Two humps in one unit point to mixed protocols or truncated downloads; a long left tail to runs that a "
        "stricter filter would drop.",
    )


def _projection_blocks(inputs, samples, splits, settings):
    rows = projection.choose_rows(len(samples), SAMPLE_LIMIT, settings.get("seed", 1))
    expression = np.load(inputs.path("training"), mmap_mode="r")[rows]
    scores, share = projection.principal_components(expression)
    part = samples.iloc[rows].reset_index(drop=True)
    split = None if splits is None else sorted(splits["split"].unique())[0]
    roles = {} if splits is None else splits[splits["split"] == split].set_index("study")["role"].to_dict()
    label, key = None, task_label(settings)
    if key and inputs.has("attributes"):
        attributes = inputs.table("attributes")
        found = attributes[attributes["key"] == key].drop_duplicates("sample").set_index("sample")["value"]
        label = part["sample"].map(found).rename(key) if len(found) else None
    between = projection.share_between(scores, part["study"])
    finding = (
        f"Studies differ: {between[0]:.0%} of the variance along the first component and {between[1]:.0%} along the "
        "second lies between studies rather than within them."
    )
    picture = Picture(
        "corpus_projection",
        projection_figure(scores, share, part, roles, label),
        "Samples on two principal components",
        "Each point is a sample: principal components of log2(TPM + 1) over the training genes, centred, not scaled. "
        f"Roles are those of the split '{split}'. Points of one study close together are a batch effect or a shared "
        "biology; the label panel helps to tell which.",
        f"{len(rows):,} of {len(samples):,} samples" + (" (drawn at random)." if len(rows) < len(samples) else "."),
        "A picture of two components hides the rest; it includes test studies and is for looking only: nothing is "
        "fitted or chosen from it.",
    )
    return [picture, Paragraph(finding, "finding")]
