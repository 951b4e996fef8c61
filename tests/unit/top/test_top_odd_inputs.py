"""Tables as people have them give what they say, or are refused. Oracle: what each file is right as, by hand."""

import numpy as np
import pandas as pd
import pytest
from scarceseq import registry
from scarceseq.archive.plan import excluded_projects, projects_of_ids
from scarceseq.archive.settings import UserStudySettings
from scarceseq.archive.user_study import import_study
from scarceseq.design.names import read_names
from scarceseq.errors import InputError
from scarceseq.network.build import build_graph
from scarceseq.user_tables import read_lists_of_ids

SUMS = {"s1": 104255, "s2": 104106, "s3": 103329, "s4": 103943, "s5": 103718, "s6": 103731}
GENES = pd.DataFrame({"gene_id": [f"ENSMUSG{gene:011d}" for gene in range(1, 41)], "gene_type": "protein_coding"})
GENES = GENES.assign(gene_name=[f"Gene{gene}" for gene in range(1, 41)], bp_length=1000)
EDGES = {"kind": "edges", "source_column": "source", "target_column": "target", "weight_column": "", "min_weight": 0}
EDGES |= {"full_weight": 1, "directed": False}
TERMS = {"kind": "annotation", "gene_column": "gene", "term_column": "term", "min_jaccard": 0.1, "top_k": 20}


@pytest.fixture(scope="module")
def odd(shared_data):
    folder = shared_data / "odd_inputs"
    if not folder.is_dir():
        pytest.skip(f"there is no folder {folder}")
    return folder


def study(odd, counts="truth.tsv", labels="truth.tsv", **changed):
    settings = {
        "name": "odd",
        "counts": str(odd / "counts" / counts),
        "labels": str(odd / "labels" / labels) if labels else None,
        "sample_column": "sample",
        "gene_id_type": "ensembl",
        "label_columns": ["condition"] if labels else [],
        "quantity": "counts",
        "organism": "mouse",
        "min_protein_coding_share": 0.5,
    }
    return import_study(UserStudySettings(**settings | changed), GENES)


@pytest.mark.parametrize(
    "counts",
    ["truth.tsv", "stray_quote.tsv", "hash_header.tsv", "semicolons.csv", "tabs_in.csv", "utf16.txt"],
)
def test_counts_are_what_the_file_says(odd, counts):
    made = study(odd, counts)
    assert dict(zip(made.samples["runs"], made.counts.sum(axis=1).tolist(), strict=True)) == SUMS
    assert made.genes["measured"].sum() == 40


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ("header_one_name_short.tsv", "6 names, each row 7 cells; its first name is 'gene_id'"),
        ("sample_name_twice.tsv", "column 's1' twice"),
        ("no_header.txt", "looks like data"),
        ("all_zero_sample.tsv", "sample s3 is all zero"),
        ("estimated_counts.tsv", "estimated counts"),
    ],
)
@pytest.mark.parametrize("labels", ["truth.tsv", None])
def test_counts_that_say_something_else_are_refused(odd, counts, labels, words):
    if counts == "estimated_counts.tsv" and labels is None:
        words = "text among its numbers"
    with pytest.raises(InputError, match=words):
        study(odd, counts, labels)


@pytest.mark.parametrize("labels", ["truth.tsv", "trailing_blanks.csv", "excel_blank_rows.csv", "stray_quote.tsv"])
def test_labels_are_what_the_file_says(odd, labels):
    rows = study(odd, labels=labels).attributes
    expected = {f"odd.s{sample}": "trt" if sample % 2 == 0 else "ctl" for sample in range(1, 7)}
    read = dict(zip(rows["sample"], rows["value"], strict=True))
    assert read == {name: expected[name] for name in read}
    assert len(read) == (6 if labels != "excel_blank_rows.csv" else len(read)) > 1


@pytest.mark.parametrize("table", ["truth.tsv", "sra_run_table.csv", "two_ids_in_a_cell.tsv", "quote_in_title.tsv"])
def test_studies_are_excluded_by_any_of_their_ids(odd, table):
    rows = read_lists_of_ids(odd / "accessions" / table)
    projects = [f"SRP{number}" for number in range(900001, 900015)]
    expected = {"SRP900006": "PRJNA6", "SRP900007": "GSE1007"}
    assert excluded_projects(projects_of_ids(["PRJNA6", "GSE1007"], projects, rows)) == expected
    assert set(excluded_projects(projects_of_ids([" prjna6", "gse1007\xa0"], projects, rows))) == set(expected)


def links(edges):
    return {frozenset(pair) for pair in zip(edges["source"], edges["target"], strict=True)}


def test_graphs_are_what_the_file_says(odd):
    folder = odd / "graphs"
    assert links(build_graph("g", EDGES, {"table": folder / "comment_lines.tsv"})[0]) == {
        frozenset("AB"),
        frozenset("BC"),
    }
    edges, _ = build_graph("g", EDGES, {"table": folder / "trailing_blanks.tsv"})
    assert set(edges["source"]) == {"TP53", "MDM2", "MDM4"}
    assert len(links(build_graph("g", EDGES, {"table": folder / "stray_quote.tsv"})[0])) == 20
    inputs = {"table": folder / "edges.tsv", "restriction": folder / "gene_list_bom.txt"}
    assert set(build_graph("g", EDGES, inputs)[0]["source"]) == {"A", "B", "C"}
    string = EDGES | {"source_column": "protein1", "target_column": "protein2", "weight_column": "combined_score"}
    edges, _ = build_graph("g", string | {"full_weight": 1000}, {"table": folder / "string_links_as_downloaded.txt"})
    assert edges["weight"].tolist() == [0.155, 0.155]


def test_gene_sets_and_terms_are_what_the_file_says(odd):
    folder = odd / "graphs"
    edges, _ = build_graph("g", TERMS, {"table": folder / "several_terms_in_a_cell.tsv"})
    weight = {(row.source, row.target): row.weight for row in edges.itertuples()}
    assert (weight["A", "C"], weight["A", "B"]) == (0.5, 1.0)
    edges, _ = build_graph("g", TERMS, {"table": folder / "blank_line.gmt"})
    weight = {(row.source, row.target): row.weight for row in edges.itertuples()}
    assert weight == {(a, b): 1.0 if {a, b} == {"A", "B"} else 0.5 for a in "ABC" for b in "ABC" if a != b}


def test_an_index_is_no_component_and_a_byte_order_mark_no_name(odd):
    build = registry.load("network.embeddings", "table").build
    found = build({"gene_column": "gene_name"}, {"table": odd / "embeddings/index_column.tsv"})
    assert found.columns.tolist() == ["e1", "e2", "e3", "e4"]
    assert np.allclose(found.loc["G0"], [0.126, -0.132, 0.64, 0.105])
    assert read_names(odd / "design/candidates_bom.txt")[0] == "G1"
