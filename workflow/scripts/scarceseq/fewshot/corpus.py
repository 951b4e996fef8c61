"""Expression of episodes and of the reference studies, z-scored by the base model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scarceseq.errors import InputError
from scarceseq.seeds import derive

if TYPE_CHECKING:
    import pandas as pd

    from scarceseq.pretrain.model import Base


# Joins the names of the studies of a support that has several.
TOGETHER = " + "


@dataclass(frozen=True)
class Episode:
    """Arrays of one episode; classes are numbered in the order of their names.

    ``support`` and ``query`` are z-scores, float32, (samples, genes).
    """

    role: str
    number: int
    seed: int
    classes: list
    support: np.ndarray
    support_classes: np.ndarray
    query: np.ndarray
    query_classes: np.ndarray
    query_samples: list
    support_study: str
    query_study: str


class Corpus:
    """Rows of the training matrix by sample id, in the base model's genes.

    `expression`, (samples, genes), is log2(TPM + 1) and may be a memory map: only the rows that are used are read.
    `samples` has the columns sample, study, and a row per row of `expression`; `gene_ids` are the genes of its columns.
    The gene list of `base` chooses and orders the columns, its mean and scale standardise them. The centring 'study'
    subtracts from every sample the mean z-scores of all samples of its study, whatever their labels: the query's study
    is then looked at as a whole (transductive), but no label of it. `labels` give the class of samples by the task's
    label; features see those of the pretrain and scout studies alone.

    Raises InputError if shapes disagree, or the base has a gene that the corpus lacks or whose scale is no positive
    number.
    """

    def __init__(
        self,
        expression: np.ndarray,
        samples: "pd.DataFrame",
        gene_ids: Sequence[str],
        base: "Base",
        centring: str = "none",
        labels: Mapping[str, str] | None = None,
    ) -> None:
        if expression.shape != (len(samples), len(gene_ids)):
            raise InputError(
                f"training.npy has shape {expression.shape}, samples.parquet and genes.parquet have {len(samples)} "
                f"samples and {len(gene_ids)} genes; run merge_corpus again"
            )
        columns = {gene: column for column, gene in enumerate(gene_ids)}
        missing = [gene for gene in base.gene_ids if gene not in columns]
        if missing:
            raise InputError(
                f"{len(missing)} of the base model's {len(base.gene_ids)} genes are not in the corpus "
                f"(first: {', '.join(missing[:3])}); pre-train on this corpus, or use the corpus of the base model"
            )
        usable = base.scale.isfinite() & (base.scale > 0)
        if not bool(usable.all()):
            gene = base.gene_ids[int(usable.int().argmin())]
            raise InputError(
                f"model.safetensors: gene {gene} has the scale {float(base.scale[~usable][0]):g}, as a gene that never "
                "varies has without the floor `minimum_scale`; pre-train again"
            )
        self._columns = [columns[gene] for gene in base.gene_ids]
        self._expression, self._base = expression, base
        self._row = {sample: row for row, sample in enumerate(samples["sample"])}
        self._kept, self._centres = {}, {}
        self._reference: np.ndarray | None = None
        self._labels, self._referred = labels or {}, []
        self._centred = centring == "study"
        self._study = dict(zip(samples["sample"], samples["study"], strict=True)) if self._centred else {}
        self.features = {}  # functions from z-scores to features, by what they were made by
        self.samples = samples

    def standardised(self, chosen: Sequence[str]) -> np.ndarray:
        """z-scores, float32, (samples, genes), of the chosen sample ids, not centred."""
        unknown = [sample for sample in chosen if sample not in self._row]
        if unknown:
            raise InputError(f"sample {unknown[0]} of an episode is not in samples.parquet; plan the episodes again")
        rows = np.asarray(self._expression[[self._row[sample] for sample in chosen]])[:, self._columns]
        bad = ~np.isfinite(rows)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise InputError(
                f"training.npy: sample {chosen[row]}, gene {self._base.gene_ids[column]}: {rows[row, column]} is no "
                "finite number; mend or leave out the sample's study, and run merge_corpus again"
            )
        return self._base.standardise(rows).cpu().numpy()

    def reference(self, splits: "pd.DataFrame", most: int, seed: int) -> np.ndarray:
        """z-scores of samples of the pretrain and scout studies of the base's split; of more, `most` are drawn."""
        if self._reference is not None:
            return self._reference
        split = self._base.information["split"]
        studies = splits.loc[(splits["split"] == split) & splits["role"].isin(["pretrain", "scout"]), "study"]
        chosen = self.samples.loc[self.samples["study"].isin(studies), "sample"].tolist()
        if len(chosen) < 2:
            raise InputError(f"split '{split}' has {len(chosen)} samples in pretrain and scout studies; 2 are needed")
        if len(chosen) > most:
            drawn = np.random.default_rng(derive(seed, "reference")).choice(len(chosen), most, replace=False)
            chosen = [chosen[place] for place in np.sort(drawn)]
        self._referred, self._reference = chosen, self._from_centres(chosen, self.standardised(chosen))
        return self._reference

    def reference_origin(self) -> tuple[list[str], list[str]]:
        """Study and class ("" without one) of each sample of the reference, once that was read."""
        study = dict(zip(self.samples["sample"], self.samples["study"], strict=True))
        return [study[name] for name in self._referred], [self._labels.get(name, "") for name in self._referred]

    def rows(self, chosen: Sequence[str]) -> np.ndarray:
        """z-scores as episodes have them, of samples that are asked for again and again: each is read once."""
        return self._from_centres(chosen, np.stack(self._read_once(chosen)))

    def contents(self, chosen: Sequence[str]) -> list[int]:
        """What tells whether two samples have the very same expression; a hash for each."""
        return [hash(row.tobytes()) for row in self._read_once(chosen)]

    def _read_once(self, chosen: Sequence[str]) -> list[np.ndarray]:
        new = [sample for sample in dict.fromkeys(chosen) if sample not in self._kept]
        if new:
            self._kept |= dict(zip(new, self.standardised(new), strict=True))
        return [self._kept[sample] for sample in chosen]

    def _from_centres(self, chosen: Sequence[str], rows: np.ndarray) -> np.ndarray:
        """Rows minus the mean of their study, if samples are centred."""
        if not self._centred:
            return rows
        return rows - np.stack([self._centre(self._study[sample]) for sample in chosen])

    def _centre(self, study: str) -> np.ndarray:
        if study not in self._centres:
            of_study = self.samples.loc[self.samples["study"] == study, "sample"]
            mean = self.standardised(of_study.tolist()).mean(axis=0, dtype=np.float64)
            self._centres[study] = mean.astype(np.float32)
        return self._centres[study]


class Episodes(Sequence):
    """Episodes of one cell; arrays are made when one is asked for, since together they may not fit into memory.

    `table` holds rows of an episode table, of one role. Raises InputError if a query sample has the very values of a
    support sample of its episode.
    """

    def __init__(self, table: "pd.DataFrame", corpus: Corpus) -> None:
        self._corpus = corpus
        self._plans = [_plan(rows) for _, rows in table.groupby("episode", sort=True)]
        used = list(dict.fromkeys(table["sample"]))
        content = dict(zip(used, corpus.contents(used), strict=True))
        for _, support, query in self._plans:
            held = {content[sample]: sample for sample in support}
            for sample in query:
                if content[sample] in held:
                    raise InputError(
                        f"samples {held[content[sample]]} (support) and {sample} (query) have the same expression; "
                        "remove the copy from the input and plan the episodes again"
                    )

    def __len__(self) -> int:
        return len(self._plans)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        about, support, query = self._plans[index]
        return Episode(support=self._corpus.rows(support), query=self._corpus.rows(query), **about)


def _plan(table: "pd.DataFrame") -> Any:
    """What is known of one episode without its expression, and its support and query samples."""
    classes = sorted(table["label"].unique())
    support, query = (table[table["part"] == side] for side in ("support", "query"))
    about = dict(
        role=table["role"].iloc[0],
        number=int(table["episode"].iloc[0]),
        seed=int(table["seed"].iloc[0]),
        classes=classes,
        support_classes=support["label"].map(classes.index).to_numpy(),
        query_classes=query["label"].map(classes.index).to_numpy(),
        query_samples=query["sample"].tolist(),
        support_study=TOGETHER.join(sorted(support["study"].unique())),
        query_study=query["study"].iloc[0],
    )
    return about, support["sample"].tolist(), about["query_samples"]
