"""Which gene of one organism is which of another, by a table that the user gives: one-to-one pairs only."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scarceseq.archive.gene_ids import map_gene_ids, unversioned
from scarceseq.corpus.settings import Orthologues
from scarceseq.errors import InputError
from scarceseq.user_tables import read_columns

USED = "used"
PAIR_COLUMNS = ["organism", "gene", "orthologue", "use"]


class OrthologueTable(Orthologues):
    """The table that the config section ``corpus.orthologues`` describes."""

    def pairs(self, own: str, other: str) -> pd.DataFrame:
        """Distinct pairs of the table for two organisms: gene, orthologue, Ensembl ids without version, sorted.

        Lines in which one of them is blank are left out. Raises InputError if the table cannot be read, an organism has
        no column, or an id stands in both columns.
        """
        names = [self._column(organism) for organism in (own, other)]
        if names[0] == names[1]:
            raise InputError(f"config key corpus.orthologues.columns: '{names[0]}' is named for both {own} and {other}")
        try:
            table = read_columns(self.table, names).set_axis(["gene", "orthologue"], axis=1)
        except InputError as error:
            raise InputError(f"corpus.orthologues: {error}") from error
        if self.gene_id_type == "ensembl":
            table = pd.DataFrame({name: unversioned(table[name]) for name in table})
        table = table[(table != "").all(axis=1)].drop_duplicates()
        both = set(table["gene"]) & set(table["orthologue"])
        if both and self.gene_id_type == "ensembl":
            raise InputError(
                f"corpus.orthologues: {self.table} has {min(both)} both as a gene of {own} (column '{names[0]}') and "
                f"of {other} (column '{names[1]}'); {len(both)} ids are. Check the columns"
            )
        return table.sort_values(["gene", "orthologue"], ignore_index=True)

    def _column(self, organism: str) -> str:
        if organism not in self.columns:
            raise InputError(
                f"config key corpus.orthologues.columns: no column is named for {organism}, of which there are studies"
            )
        return self.columns[organism]

    def match(
        self, own: str, own_genes: pd.DataFrame, other: str, other_genes: pd.DataFrame
    ) -> tuple[np.ndarray, pd.DataFrame]:
        """Find the orthologue of each gene of one organism among those of another, by tables of gene_name by gene id.

        Gives int, (own genes,), the row of `other_genes` of the one orthologue, -1 without one; and a table organism
        (the other), gene, orthologue, use of every pair of the table, use being ``used`` or why it is not. Raises
        InputError if no pair can be used.
        """
        pairs = self.pairs(own, other)
        rows = [self._rows(pairs["gene"], own_genes), self._rows(pairs["orthologue"], other_genes)]
        several = [pairs[name].duplicated(keep=False).to_numpy() for name in ("gene", "orthologue")]
        pairs["use"] = np.select(
            [several[0] & several[1], several[0], several[1], rows[0] < 0, rows[1] < 0],
            ["many_to_many", "one_to_many", "many_to_one", f"unknown_in_{own}", f"unknown_in_{other}"],
            USED,
        )
        used = (pairs["use"] == USED).to_numpy()
        if not used.any():
            listed = ", ".join(f"{count} {use}" for use, count in pairs["use"].value_counts().items()) or "no pairs"
            raise InputError(
                f"corpus.orthologues: {self.table} joins no gene of {own} with one of {other} ({listed}); check the "
                "columns and gene_id_type"
            )
        for rows_of, genes, name in ((rows[0], own_genes, "gene"), (rows[1], other_genes, "orthologue")):
            mapped = rows_of >= 0
            pairs.loc[mapped, name] = genes.index.to_numpy(dtype=str)[rows_of[mapped]]
        places = np.full(len(own_genes), -1)
        places[rows[0][used]] = rows[1][used]
        return places, pairs.assign(organism=other)[PAIR_COLUMNS]

    def _rows(self, names: Sequence[str], genes: pd.DataFrame) -> np.ndarray:
        """Row of the gene table of each name; -1 if it is unknown or names several."""
        rows = pd.Series(-1, index=pd.unique(names))
        annotation = pd.DataFrame({"gene_id": genes.index.astype(str), "gene_name": genes["gene_name"].astype(str)})
        mapped, _ = map_gene_ids(list(rows.index), self.gene_id_type, annotation.reset_index(drop=True))
        rows.iloc[mapped["row"].to_numpy(dtype=int)] = genes.index.astype(str).get_indexer(mapped["gene_id"])
        return rows[names].to_numpy()


def no_pairs() -> pd.DataFrame:
    """Table of pairs of a corpus of one organism."""
    return pd.DataFrame(columns=PAIR_COLUMNS, dtype=str)
