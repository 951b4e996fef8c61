"""Expression of episodes and of the reference studies, z-scored by the base model."""

from dataclasses import dataclass

import numpy as np

from scarceseq.errors import InputError


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

    Parameters
    ----------
    expression : array, (samples, genes)
        log2(TPM + 1); may be a memory map, only the rows that are used are read.
    samples : DataFrame
        Columns sample, study; one row per row of `expression`.
    gene_ids : list of str
        Genes of the columns of `expression`.
    base : Base
        Its gene list chooses and orders the columns, its mean and scale standardise them.

    Raises
    ------
    InputError
        If shapes disagree, the base model has a gene that the corpus lacks, or one whose scale is no positive number.
    """

    def __init__(self, expression, samples, gene_ids, base):
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
        self.samples = samples

    def standardised(self, chosen):
        """z-scores, float32, (samples, genes), of the chosen sample ids."""
        unknown = [sample for sample in chosen if sample not in self._row]
        if unknown:
            raise InputError(f"sample {unknown[0]} of an episode is not in samples.parquet; plan the episodes again")
        rows = np.asarray(self._expression[[self._row[sample] for sample in chosen]])[:, self._columns]
        bad = ~np.isfinite(rows).all(axis=1)
        if bad.any():
            raise InputError(f"training.npy: sample {chosen[int(bad.argmax())]} has values that are not finite numbers")
        return self._base.standardise(rows).cpu().numpy()

    def reference(self, splits):
        """z-scores of the samples of the pretrain and scout studies of the base's split."""
        split = self._base.information["split"]
        studies = splits.loc[(splits["split"] == split) & splits["role"].isin(["pretrain", "scout"]), "study"]
        chosen = self.samples.loc[self.samples["study"].isin(studies), "sample"].tolist()
        if len(chosen) < 2:
            raise InputError(f"split '{split}' has {len(chosen)} samples in pretrain and scout studies; 2 are needed")
        return self.standardised(chosen)

    def episode(self, table):
        """Arrays of one episode.

        Parameters
        ----------
        table : DataFrame
            Rows of one episode of an episode table.

        Raises
        ------
        InputError
            If a query sample has the very values of a support sample.
        """
        classes = sorted(table["label"].unique())
        support, query = (table[table["part"] == part] for part in ("support", "query"))
        episode = Episode(
            role=table["role"].iloc[0],
            number=int(table["episode"].iloc[0]),
            seed=int(table["seed"].iloc[0]),
            classes=classes,
            support=self.standardised(support["sample"].tolist()),
            support_classes=support["label"].map(classes.index).to_numpy(),
            query=self.standardised(query["sample"].tolist()),
            query_classes=query["label"].map(classes.index).to_numpy(),
            query_samples=query["sample"].tolist(),
            support_study=support["study"].iloc[0],
            query_study=query["study"].iloc[0],
        )
        contents = {row.tobytes(): sample for row, sample in zip(episode.support, support["sample"], strict=True)}
        for row, sample in zip(episode.query, episode.query_samples, strict=True):
            if row.tobytes() in contents:
                raise InputError(
                    f"samples {contents[row.tobytes()]} (support) and {sample} (query) have the same expression; "
                    "remove the copy from the input and plan the episodes again"
                )
        return episode
