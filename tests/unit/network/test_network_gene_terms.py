"""Annotations in the formats of GO and NCBI give the graphs that their pairs say. Oracles: by hand, and each other."""

import gzip
import re

import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.network.build import build_graph
from scarceseq.network.gene_terms import read_annotation

SETTINGS = {
    "kind": "annotation",
    "min_jaccard": 0.1,
    "top_k": 20,
    "gene_column": "gene",
    "term_column": "term",
    "excluded_evidence": [],
    "taxon": None,
    "gene_id_column": "GeneID",
    "gene_name_column": "Symbol",
}
SYMBOLS = {"11": "A", "12": "B", "13": "C", "14": "D"}
# gene, term, qualifier (NCBI's words), evidence
ANNOTATIONS = [
    ("11", "GO:1", "involved_in", "IDA"),
    ("11", "GO:2", "enables", "IMP"),
    ("11", "GO:2", "enables", "IEA"),
    ("12", "GO:2", "enables", "IDA"),
    ("12", "GO:3", "located_in", "IDA"),
    ("13", "GO:1", "involved_in", "IMP"),
    ("13", "GO:2", "enables", "IDA"),
    ("14", "GO:1", "NOT involved_in", "IDA"),
    ("14", "GO:3", "located_in", "IDA"),
]


def gaf_line(gene, term, qualifier="involved_in", evidence="IDA"):
    return "\t".join(["UniProtKB", "P1", gene, qualifier, term, "PMID:1", evidence, *[""] * 10]) + "\n"


def test_annotations_are_read_from_gafs_without_negated_ones_and_chosen_evidence(tmp_path):
    lines = ["!gaf-version: 2.2\n", gaf_line("A", "GO:1"), gaf_line("B", "GO:1"), gaf_line("C", "GO:1", "NOT|part_of")]
    lines += [gaf_line("D", "GO:1", evidence="IMP"), gaf_line("E", "GO:1")]
    (tmp_path / "go.gaf").write_text("".join(lines))
    settings = {"kind": "annotation", "min_jaccard": 0.1, "top_k": 20, "excluded_evidence": ["IMP"]}
    edges, _ = build_graph("go", settings, {"table": tmp_path / "go.gaf"})
    assert set(edges["source"]) == {"A", "B", "E"}
    (tmp_path / "go.gaf").write_text("A\tB\n")
    with pytest.raises(InputError, match="line 1: 2 columns"):
        build_graph("go", settings, {"table": tmp_path / "go.gaf"})


def table_of_terms(folder, rows, **settings):
    """Pairs of a table with these rows."""
    path = folder / "terms.tsv"
    path.write_text("gene\tterm\n" + "".join(f"{gene}\t{term}\n" for gene, term in rows))
    return [tuple(pair) for pair in read_annotation(path, SETTINGS | settings).to_numpy()]


@pytest.mark.parametrize("cell", ["GO:1;GO:2", "GO:1 | GO:2", "GO:1///GO:2", "GO:1, GO:2", "GO:1;GO:2;"])
def test_cells_of_several_ids_are_split(tmp_path, cell):
    assert table_of_terms(tmp_path, [("A", cell), ("B", "GO:2")]) == [("A", "GO:1"), ("A", "GO:2"), ("B", "GO:2")]


def test_names_of_terms_keep_their_commas(tmp_path):
    rows = [("A", "lipid, steroid and sterol binding"), ("B", "GO:1, the first")]
    assert table_of_terms(tmp_path, rows) == rows


@pytest.mark.parametrize("cell", ["cell cycle; mitotic", "KEGG|Apoptosis", "GO:1;apoptosis"])
def test_a_name_that_may_be_several_stops_the_reader_until_the_separator_is_said(tmp_path, cell):
    separator = ";" if ";" in cell else "|"
    with pytest.raises(
        InputError, match=f"the term '{re.escape(cell)}' of gene B.*term_separator: '{re.escape(separator)}'"
    ):
        table_of_terms(tmp_path, [("A", "GO:1"), ("B", cell)])
    assert table_of_terms(tmp_path, [("B", cell)], term_separator="none") == [("B", cell)]
    split = [("B", piece.strip()) for piece in cell.split(separator)]
    assert table_of_terms(tmp_path, [("B", cell)], term_separator=separator) == split


def gene2go_line(gene, term, qualifier, evidence, taxon="9606"):
    return "\t".join([taxon, gene, term, evidence, qualifier, "a term", "-", "Process"]) + "\n"


def write_gene2go(folder, extra=(), name="gene2go.gz"):
    """NCBI's file with the annotations above, and a table of symbols as in gene_info."""
    header = "#tax_id\tGeneID\tGO_ID\tEvidence\tQualifier\tGO_term\tPubMed\tCategory\n"
    with gzip.open(folder / name, "wt") as handle:
        handle.write("".join([header, *(gene2go_line(*row) for row in ANNOTATIONS), *extra]))
    info = pd.DataFrame({"#tax_id": "9606", "GeneID": SYMBOLS.keys(), "Symbol": SYMBOLS.values(), "LocusTag": "-"})
    info.to_csv(folder / "Homo_sapiens.gene_info.gz", sep="\t", index=False)
    return {"table": folder / name, "names": folder / "Homo_sapiens.gene_info.gz"}


def test_jaccard_of_gene2go_equals_that_counted_by_hand(tmp_path):
    edges, summary = build_graph("go", SETTINGS, write_gene2go(tmp_path))
    # A = {1, 2}, B = {2, 3}, C = {1, 2}, D = {3}: D is not annotated with 1, the line says so
    expected = {("A", "B"): 1 / 3, ("A", "C"): 1.0, ("B", "C"): 1 / 3, ("B", "D"): 1 / 2}
    expected |= {(target, source): weight for (source, target), weight in expected.items()}
    found = {(row.source, row.target): row.weight for row in edges.itertuples()}
    assert found == pytest.approx(expected)
    assert summary["provenance"]["counts"]["pairs"] == 7


@pytest.mark.parametrize("excluded", [[], ["IMP"]])
def test_gene2go_gives_the_graph_of_the_same_annotations_as_gaf(tmp_path, excluded):
    settings = SETTINGS | {"excluded_evidence": excluded}
    lines = [
        gaf_line(SYMBOLS[gene], term, qualifier.replace(" ", "|"), evidence)
        for gene, term, qualifier, evidence in ANNOTATIONS
    ]
    (tmp_path / "go.gaf").write_text("".join(lines))
    from_gaf, _ = build_graph("go", settings, {"table": tmp_path / "go.gaf"})
    from_gene2go, _ = build_graph("go", settings, write_gene2go(tmp_path))
    pd.testing.assert_frame_equal(from_gene2go, from_gaf)
    weight = from_gaf.set_index(["source", "target"])["weight"]
    assert weight["A", "C"] == (0.5 if excluded else 1.0)


def test_one_organism_of_gene2go_is_taken_and_genes_without_a_symbol_are_counted(tmp_path):
    extra = [gene2go_line("99", "GO:3", "located_in", "IDA"), gene2go_line("70", "GO:1", "enables", "IDA", "10090")]
    inputs = write_gene2go(tmp_path, extra)
    alone, _ = build_graph("go", SETTINGS, write_gene2go(tmp_path, name="gene2go_human.gz"))
    edges, summary = build_graph("go", SETTINGS | {"taxon": 9606}, inputs)
    pd.testing.assert_frame_equal(edges, alone)
    assert summary["provenance"]["counts"]["pairs_without_name"] == 1
    with pytest.raises(InputError, match=r"2 organisms; say which .*9606, 10090"):
        build_graph("go", SETTINGS, inputs)
    with pytest.raises(InputError, match="nothing is annotated for organism 7227"):
        build_graph("go", SETTINGS | {"taxon": 7227}, inputs)


def test_gene2go_without_symbols_or_with_a_column_missing_is_refused(tmp_path):
    inputs = write_gene2go(tmp_path)
    with pytest.raises(InputError, match=r"names genes by number.*gene_names"):
        build_graph("go", SETTINGS, {"table": inputs["table"]})
    (tmp_path / "cut.txt").write_text("#tax_id\tGeneID\tGO_ID\n9606\t11\tGO:1\n")
    with pytest.raises(InputError, match=r"no gene2go file of NCBI.*Evidence"):
        build_graph("go", SETTINGS, inputs | {"table": tmp_path / "cut.txt"})
