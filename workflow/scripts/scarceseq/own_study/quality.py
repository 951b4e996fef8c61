"""What each sample of a study is, before anything is predicted: depth, outliers, sex, tissue. Flags; removes nothing.

An outlier lies more than `DEVIATIONS` robust standard deviations (1.4826 times the median absolute deviation) from the
median of the study, and by more than a least distance that matters, as scater's `isOutlier` has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from scarceseq.corpus.copies import is_copy, poisson_index
from scarceseq.own_study.differential import log_cpm

DEVIATIONS = 3.0
# Least distances: a third or three times the reads; a fifth fewer genes; shares; correlation.
LEAST = {"reads": np.log2(3), "genes": 0.2, "mitochondrial_share": 0.05, "top_share": 0.1, "correlation": 0.05}
TOP_GENES = 50
VARIABLE_GENES, MOST_COMPONENTS = 1000, 5
# Female: Xist above the genes of the Y by this factor, and above this many counts per million; male: the reverse.
SEX_FACTOR, SEX_LEAST = 5.0, 1.0
# Markers of a tissue in a sample against the others of its class: a 16th, and at least this much (log2 CPM).
TISSUE_STEP, TISSUE_LEAST = 4.0, 3.0
CLASS_STEP = 3.0
LEAST_MARKERS = 3
# Of Poisson noise: lanes of one library have an index of 1, animals of one strain several.
SAME_LIBRARY = 1.2
# Of log counts of the highest genes; two readings of a library of a million reads have 0.99.
MOST_GENES, LEAST_CORRELATION = 2000, 0.97
NOT_TISSUES = ("sex_x", "sex_y", "mitochondrial")
COLUMNS = ["sample", "label", "reads", "genes", "mitochondrial_share", "top_share", "correlation"]
COLUMNS += ["sex_by_genes", "declared_sex", "flags"]


@dataclass(frozen=True)
class Markers:
    """Rows of the study's genes in each set of ``marker_genes.tsv``."""

    rows: dict[str, np.ndarray]

    @classmethod
    def of(cls, genes: pd.DataFrame, organism: str) -> "Markers":
        """Markers of mouse or human among genes given by symbol or Ensembl id (columns gene_id, gene_name)."""
        table = pd.read_csv(Path(__file__).with_name("marker_genes.tsv"), sep="\t")
        table = table[table["organism"] == organism]
        ids = genes["gene_id"].astype(str).str.split(".").str[0].str.upper().to_numpy()
        names = genes["gene_name"].astype(str).str.upper().to_numpy()
        rows = {}
        for name, markers in table.groupby("set"):
            there = np.isin(ids, markers["ensembl_id"]) | np.isin(names, markers["symbol"].str.upper())
            there |= np.isin(ids, markers["symbol"].str.upper())
            rows[str(name)] = np.flatnonzero(there)
        return cls(rows)

    def tissues(self) -> dict[str, np.ndarray]:
        """Sets of tissues with enough genes in the study."""
        large = {name: rows for name, rows in self.rows.items() if len(rows) >= LEAST_MARKERS}
        return {name: rows for name, rows in large.items() if name not in NOT_TISSUES}


def check_samples(
    counts: np.ndarray, genes: pd.DataFrame, organism: str, samples: pd.DataFrame, labels: pd.DataFrame
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Checks of each sample, `COLUMNS`, and notes (kind, text) on what concerns several samples, the worst first.

    `counts` are reads, (genes, samples); `genes` has the columns gene_id, gene_name, `samples` sample, label; `labels`
    is the user's whole table, in the order of the samples, of which a column such as ``sex`` is what was declared.

    Columns: reads; genes with a read; shares of mitochondrial reads (NaN without such genes) and of the `TOP_GENES`
    highest genes; median correlation of log counts per million with the others of the class; sex; and ``flags``, in
    words, separated by semicolons.
    """
    markers, values = Markers.of(genes, organism), log_cpm(counts)
    table = measures(counts, values, samples, markers)
    table["sex_by_genes"] = sex_by_genes(counts, markers)
    table["declared_sex"] = declared_sex(labels)
    flags: list[list[str]] = [[] for _ in range(len(table))]
    for measure, side, text in (
        ("reads", 0, "unusual number of reads"),
        ("genes", -1, "few genes detected"),
        ("mitochondrial_share", 1, "many mitochondrial reads"),
        ("top_share", 1, "few genes take most reads"),
        ("correlation", -1, "unlike the others of its class"),
    ):
        scale = np.log2(table[measure]) if measure == "reads" else table[measure]
        least = LEAST[measure] * (table[measure].median() if measure == "genes" else 1)
        for place in outliers(scale.to_numpy(float), side, least):
            flags[place].append(text)
    notes = sex_notes(table, flags)
    notes += tissue_notes(values, markers, table, flags)
    notes += copy_notes(counts, table, flags)
    table["flags"] = ["; ".join(texts) for texts in flags]
    return table[COLUMNS], notes


def principal_components(counts: np.ndarray, names: Sequence[str]) -> tuple[pd.DataFrame, list[float]]:
    """Principal components of the study: its most variable genes in log counts per million, centred.

    Columns: sample, component_1, component_2, ...; the largest loading of each is positive. With the share of the
    variance that each explains.
    """
    values = log_cpm(counts[(counts > 0).mean(axis=1) >= 0.5])
    values = values[np.argsort(-values.var(axis=1), kind="stable")[:VARIABLE_GENES]].T
    model = PCA(n_components=min(MOST_COMPONENTS, len(values) - 1), svd_solver="full").fit(values)
    places = np.abs(model.components_).argmax(axis=1)
    signs = np.sign(model.components_[np.arange(len(places)), places])
    table = pd.DataFrame(model.transform(values) * signs).rename(columns=lambda place: f"component_{place + 1}")
    table.insert(0, "sample", list(names))
    return table, [float(share) for share in model.explained_variance_ratio_]


def measures(counts: np.ndarray, values: np.ndarray, samples: pd.DataFrame, markers: Markers) -> pd.DataFrame:
    """The numbers of `check_samples` for each sample."""
    table = samples[["sample", "label"]].reset_index(drop=True).copy()
    total = counts.sum(axis=0)
    table["reads"] = total.astype(np.int64)
    table["genes"] = (counts > 0).sum(axis=0)
    mitochondrial = markers.rows["mitochondrial"]
    table["mitochondrial_share"] = counts[mitochondrial].sum(axis=0) / total if len(mitochondrial) else np.nan
    top = min(TOP_GENES, len(counts))
    table["top_share"] = -np.partition(-counts, top - 1, axis=0)[:top].sum(axis=0) / total
    used = (counts > 0).mean(axis=1) >= 0.5
    correlation = np.corrcoef(values[used].T)
    np.fill_diagonal(correlation, np.nan)
    alike = table["label"].to_numpy()[:, None] == table["label"].to_numpy()[None]
    lonely = alike.sum(axis=1) < 3
    alike[lonely] = True
    table["correlation"] = np.nanmedian(np.where(alike, correlation, np.nan), axis=1)
    return table


def outliers(values: np.ndarray, side: int, least: float) -> np.ndarray:
    """Places of values, but NaN, farther than `least` from the median: below (-1), above (1) or on either side (0)."""
    distance = values - np.nanmedian(values) if np.isfinite(values).any() else np.zeros(len(values))
    spread = 1.4826 * np.nanmedian(np.abs(distance)) if np.isfinite(distance).any() else 0.0
    distance = np.abs(distance) if side == 0 else side * distance
    return np.flatnonzero(distance > max(DEVIATIONS * spread, least))


def sex_by_genes(counts: np.ndarray, markers: Markers) -> np.ndarray:
    """``female``, ``male`` or ``cannot be told`` of each sample, by Xist against the genes of the Y."""
    per_million = counts / counts.sum(axis=0) * 1e6
    xist, male = (per_million[markers.rows[name]].sum(axis=0) for name in ("sex_x", "sex_y"))
    sex = np.full(counts.shape[1], "cannot be told", dtype=object)
    if len(markers.rows["sex_x"]) and len(markers.rows["sex_y"]):
        sex[(xist > SEX_LEAST) & (xist > SEX_FACTOR * male)] = "female"
        sex[(male > SEX_LEAST) & (male > SEX_FACTOR * xist)] = "male"
    return sex


def declared_sex(labels: pd.DataFrame) -> np.ndarray:
    """``female``, ``male`` or an empty text of each sample, by a column called sex or gender."""
    for column in labels.columns:
        if str(column).strip().lower() in ("sex", "gender"):
            first = labels[column].fillna("").astype(str).str.strip().str.lower()
            words = {"f": "female", "female": "female", "m": "male", "male": "male", "woman": "female", "man": "male"}
            return first.map(words).fillna("").to_numpy(dtype=object)
    return np.full(len(labels), "", dtype=object)


def sex_notes(table: pd.DataFrame, flags: list[list[str]]) -> list[dict[str, str]]:
    """Samples of another sex than declared; two of them, one each way, may be swapped."""
    comparable = (table["declared_sex"] != "") & (table["sex_by_genes"] != "cannot be told")
    wrong = np.flatnonzero(comparable & (table["declared_sex"] != table["sex_by_genes"]))
    for place in wrong:
        row = table.iloc[place]
        flags[place].append(f"declared {row['declared_sex']}, {row['sex_by_genes']} by its genes")
    if not len(wrong):
        return []
    names = ", ".join(table["sample"].iloc[wrong].astype(str))
    kinds = set(table["declared_sex"].iloc[wrong])
    swapped = " They may be swapped." if len(wrong) == 2 and len(kinds) == 2 else ""
    return [{"kind": "sex", "text": f"The genes of {names} speak of another sex than the labels.{swapped}"}]


def tissue_notes(
    values: np.ndarray, markers: Markers, table: pd.DataFrame, flags: list[list[str]]
) -> list[dict[str, str]]:
    """Samples with markers of a tissue that the others of their class lack, and classes that a tissue divides."""
    notes = []
    labels = table["label"].to_numpy()
    for tissue, rows in markers.tissues().items():
        score = np.median(values[rows], axis=0)
        for name in np.unique(labels):
            there = np.flatnonzero(labels == name)
            if len(there) < 3:
                continue
            usual = np.median(score[there])
            for place in there[(score[there] - usual > TISSUE_STEP) & (score[there] > TISSUE_LEAST)]:
                flags[place].append(f"{tissue} markers {2 ** (score[place] - usual):.0f}-fold above its class")
            if usual > TISSUE_LEAST:
                for place in there[usual - score[there] > TISSUE_STEP]:
                    flags[place].append(f"{tissue} markers {2 ** (usual - score[place]):.0f}-fold below its class")
        for low in np.unique(labels):
            inside, outside = score[labels == low], score[labels != low]
            if len(inside) > 1 and len(outside) > 1:
                gap = max(inside.min() - outside.max(), outside.min() - inside.max())
                if gap > CLASS_STEP and score.max() > TISSUE_LEAST:
                    has, lacks = ("have", "lack") if inside.min() > outside.max() else ("lack", "have")
                    text = f"All samples of {low} {has} the markers of {tissue} that all others {lacks}"
                    notes.append({"kind": "tissue", "text": f"{text}: what is predicted may be the tissue."})
                    break
    return notes


def copy_notes(counts: np.ndarray, table: pd.DataFrame, flags: list[list[str]]) -> list[dict[str, str]]:
    """Pairs of samples that differ by no more, or by less, than two readings of one library do."""
    notes, names = [], table["sample"].astype(str).to_list()
    values = log_cpm(counts[np.argsort(-counts.sum(axis=1), kind="stable")[:MOST_GENES]])
    near = np.corrcoef(values.T) > LEAST_CORRELATION
    for one in range(len(names)):
        for other in np.flatnonzero(near[one, :one]):
            index, genes = poisson_index(counts[:, one], counts[:, other])
            if not (genes and index < SAME_LIBRARY):
                continue
            what = "a copy" if is_copy(index, genes) else "another reading of the library"
            flags[one].append(f"{what} of {names[other]}")
            flags[other].append(f"{what} of {names[one]}")
            notes.append({"kind": "copies", "text": f"By its counts {names[one]} is {what} of {names[other]}."})
    return notes
