"""Gene-term pairs from the formats that annotations come in: gene sets, GO's own files, NCBI's gene2go, tables."""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from scarceseq.errors import InputError
from scarceseq.gene_sets import read_gene_sets
from scarceseq.user_tables import read_columns
from scarceseq.user_text import open_text
from scarceseq.user_values import trim

GENE2GO = ["#tax_id", "GeneID", "GO_ID", "Evidence", "Qualifier"]
# Between the ids of one cell; in the names of terms the first two may be a part of the name.
SEVERAL = re.compile(r"[;|]|///")
BETWEEN_IDS = re.compile(r"[;|,]|///")
ID = re.compile(r"\w+:\w+|R-[A-Z]{3}-\d+|[a-z]{2,4}\d{5}")
ROWS_AT_ONCE = 1_000_000


def read_annotation(path: str | Path, settings: Mapping[str, Any], names: str | Path | None = None) -> pd.DataFrame:
    """Gene-term pairs of a file, gene (symbol) and term, either perhaps empty; its name or first line says what it is.

    It is GMT (`.gmt`), GAF (`.gaf`), NCBI's gene2go (by its header), each gzipped or not, or a table. `settings` are
    gene_column, term_column, term_separator (tables), excluded_evidence (GAF, gene2go), taxon, gene_id_column,
    gene_name_column (gene2go, for which `names` is a table of gene ids and symbols). Raises InputError if a file is
    none of these, or cells of a table may hold one term or several.
    """
    name = str(path).removesuffix(".gz")
    if name.endswith(".gmt"):
        return read_gene_sets(path)
    if name.endswith(".gaf"):
        return read_gaf(path, settings["excluded_evidence"])
    if is_gene2go(path):
        return read_gene2go(path, names, settings)
    pairs = read_columns(path, [settings["gene_column"], settings["term_column"]])
    pairs.columns = ["gene", "term"]
    return split_terms(pairs, settings.get("term_separator"), str(path))


def split_terms(pairs: pd.DataFrame, separator: str | None, origin: str) -> pd.DataFrame:
    """Pairs (gene, term) with one term each, of cells that hold several.

    `separator` stands between terms; ``none`` if every cell is one term. Without one, cells of ids such as GO:1 are
    split at any separator, and a cell that is no list of ids but holds one raises InputError, naming `origin`: it may
    be the name of one term.
    """
    if separator == "none":
        return pairs
    if separator is None:
        several = pairs["term"].map(lambda cell: SEVERAL.search(cell) is not None and not is_ids(cell))
        if several.any():
            gene, term = pairs[several].iloc[0]
            raise InputError(
                f"{origin}: the term '{term}' of gene {gene} may be one name or several ({int(several.sum())} such "
                f"rows); say what separates terms (term_separator: '{SEVERAL.findall(term)[0]}'), or that every cell "
                "is one (term_separator: none)"
            )
    terms = pairs["term"].map(lambda cell: pieces(cell, separator))
    return pairs.assign(term=terms).explode("term", ignore_index=True)


def is_ids(cell: str) -> bool:
    """Whether a cell holds nothing but ids."""
    return all(ID.fullmatch(piece) for piece in map(trim, BETWEEN_IDS.split(cell)) if piece)


def pieces(cell: str, separator: str | None) -> list[str]:
    """Terms of a cell, one empty term if it has none."""
    split = (BETWEEN_IDS.split(cell) if is_ids(cell) else [cell]) if separator is None else cell.split(separator)
    return [trim(term) for term in split if trim(term)] or [""]


def read_gaf(path: str | Path, excluded_evidence: list[str]) -> pd.DataFrame:
    """Gene-term pairs of a Gene Association File (GO's own format, 2.0 to 2.2), negated annotations left out.

    Left out are also codes of evidence such as ``IMP`` (mutant phenotype: it may come from the screens themselves).
    """
    pairs = []
    with open_text(path) as handle:
        for index, line in enumerate(handle, start=1):
            if line.startswith("!") or not line.strip():
                continue
            fields = line.split("\t")
            if len(fields) < 15:
                raise InputError(f"{path}, line {index}: {len(fields)} columns; a GAF line has 15 or more")
            fields = [trim(field) for field in fields]
            if "NOT" not in fields[3].split("|") and fields[6] not in excluded_evidence:
                pairs.append((fields[2], fields[4]))
    return pd.DataFrame(pairs, columns=["gene", "term"])


def is_gene2go(path: str | Path) -> bool:
    """Whether a file begins as NCBI's gene2go does."""
    with open_text(path) as handle:
        return handle.readline(200).startswith("\t".join(GENE2GO[:3]))


def read_gene2go(path: str | Path, names: str | Path | None, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Gene-term pairs of one organism in NCBI's gene2go, negated annotations left out.

    Its genes have numbers; `names` is a table with a row per gene, such as NCBI's gene_info, and a gene that it does
    not have gets an empty symbol. `settings` are taxon (None if the file holds one organism), excluded_evidence,
    gene_id_column, gene_name_column.
    """
    if names is None:
        raise InputError(
            f"{path}: gene2go names genes by number; give the table of their symbols (gene_names), such as NCBI's "
            "Homo_sapiens.gene_info.gz"
        )
    columns = [settings["gene_id_column"], settings["gene_name_column"]]
    symbol = read_columns(names, columns).drop_duplicates(columns[0]).set_index(columns[0])[columns[1]]
    options = {"sep": "\t", "usecols": GENE2GO, "dtype": str, "keep_default_na": False, "quoting": csv.QUOTE_NONE}
    kept, taxa, wanted = [], set(), settings["taxon"]
    with open_text(path) as handle:
        for rows in _blocks(handle, path, options):
            taxa.update(rows["#tax_id"])
            if wanted is not None:
                rows = rows[rows["#tax_id"] == str(wanted)]
            left_out = rows["Qualifier"].str.startswith("NOT") | rows["Evidence"].isin(settings["excluded_evidence"])
            kept.append(rows.loc[~left_out, ["GeneID", "GO_ID"]].drop_duplicates())
    if len(taxa) > 1 and wanted is None:
        some = ", ".join(sorted(taxa, key=len)[:10])
        raise InputError(f"{path}: {len(taxa)} organisms; say which (taxon: 9606 is human, 10090 mouse): {some}")
    rows = pd.concat(kept, ignore_index=True)
    if rows.empty:
        raise InputError(f"{path}: nothing is annotated for organism {wanted} (taxon)")
    return pd.DataFrame({"gene": rows["GeneID"].map(symbol).fillna(""), "term": rows["GO_ID"]})


def _blocks(handle: Any, path: str | Path, options: Any) -> Iterator[pd.DataFrame]:
    """Rows of a gene2go file, some at a time; every row has all columns."""
    try:
        for rows in pd.read_csv(handle, chunksize=ROWS_AT_ONCE, **options):
            if rows.isna().any(axis=None):
                raise ValueError(f"row {int(rows.isna().any(axis=1).idxmax()) + 1} is cut short")
            yield rows
    except ValueError as error:
        raise InputError(f"{path}: this is no gene2go file of NCBI ({error})") from error
