"""Writing the archive: recount3's paths, header lines and compression."""

import csv
import gzip
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from scarceseq.demo import columns
from scarceseq.files import atomic
from scarceseq.seeds import derive

GENERATED = "2020-05-12 01:01:49.411644"
ORGANISM, SOURCE = "mouse", "sra"


def write_gzip(text: str, path: str | Path) -> None:
    """Write text compressed, without the time of day, so that equal text is equal bytes."""
    with atomic(path) as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), compresslevel=1, mtime=0))


def write_metadata(table: pd.DataFrame, path: str | Path) -> None:
    """Write one metadata table: tab-separated, unquoted, ``NA`` for missing."""
    text = io.StringIO()
    table.to_csv(text, sep="\t", index=False, quoting=csv.QUOTE_NONE, na_rep="NA", lineterminator="\n")
    write_gzip(text.getvalue(), path)


def annotation_text(genes: pd.DataFrame) -> str:
    """The annotation in GTF; the score column holds the exonic length in bases."""
    lines = ["##description: genes of a small world", "##provider: generated", "##format: gtf"]
    for gene in genes.itertuples():
        notes = f'gene_id "{gene.gene_id}"; gene_type "{gene.gene_type}"; gene_name "{gene.gene_name}"; level 2;'
        place = [gene.chromosome, "HAVANA", "gene", gene.start, gene.end, gene.bp_length, gene.strand, ".", notes]
        lines.append("\t".join(map(str, place)))
    return "\n".join(lines) + "\n"


def gene_sums_text(genes: pd.DataFrame, runs: pd.DataFrame, sums: np.ndarray, annotation: str) -> str:
    """Gene sums of one project: two header lines, the runs' names, one row per gene in the annotation's order."""
    table = pd.DataFrame(sums.T, columns=list(runs))
    table.insert(0, "gene_id", genes["gene_id"].to_numpy())
    text = io.StringIO(f"##annotation={annotation}\n##date.generated={GENERATED}\n")
    text.seek(0, io.SEEK_END)
    table.to_csv(text, sep="\t", index=False, lineterminator="\n")
    return text.getvalue()


def write_archive(
    folder: str | Path,
    genes: pd.DataFrame,
    runs: pd.DataFrame,
    sums: np.ndarray,
    tables: Mapping[str, pd.DataFrame],
    annotation: str,
    seed: int,
) -> None:
    """Write the whole mirror below ``folder/mouse``; the folder is new or empty.

    Parameters
    ----------
    sums : ndarray of int64 (runs, genes)
        Base-pair coverage sums.
    tables : dict of str to pandas.DataFrame
        Metadata of all runs, of `scarceseq.demo.metadata.make_tables`.
    annotation : str
        recount3's code of the annotation, such as M023.
    seed : int
        Orders the columns of gene_sums, which in the real files is unlike the metadata's.
    """
    base = Path(folder) / ORGANISM
    home = base / "data_sources" / SOURCE
    with atomic(base / "homes_index") as temporary:
        temporary.write_text(f"data_sources/{SOURCE}\n")
    path = base / "annotations" / "gene_sums" / f"{ORGANISM}.gene_sums.{annotation}.gtf.gz"
    write_gzip(annotation_text(genes), path)
    write_metadata(tables["recount_project"], home / "metadata" / f"{SOURCE}.recount_project.MD.gz")
    generator = np.random.default_rng(derive(seed, "demo", "column order"))
    for study, rows in runs.groupby("study", sort=False).groups.items():
        shard = study[-2:]
        for name in columns.TABLES:
            table = tables[name].loc[rows]
            if name == "recount_pred" and runs.loc[rows, "header_only_pred"].all():
                table = table.iloc[:0]
            write_metadata(table, home / "metadata" / shard / study / f"{SOURCE}.{name}.{study}.MD.gz")
        kept = rows[(runs.loc[rows, "quirk"] != "missing_count_column").to_numpy()]
        kept = generator.permutation(kept)
        text = gene_sums_text(genes, runs.loc[kept, "run"], sums[kept], annotation)
        path = home / "gene_sums" / shard / study / f"{SOURCE}.gene_sums.{study}.{annotation}.gz"
        write_gzip(text, path)
