"""Files as people have them, through the config: each is read as what it says, or refused with its name and remedy.

Every file of one stage is an entry of one config, so that Snakemake starts once for all of them.
"""

import gzip
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import copy_repository, snakemake
from scarceseq.files import read_json, read_table

SUMS = [104255, 104106, 103329, 103943, 103718, 103731]
# What the log of a refused file says.
COUNTS = {
    "truth.tsv": "",
    "stray_quote.tsv": "",
    "hash_header.tsv": "",
    "semicolons.csv": "",
    "tabs_in.csv": "",
    "utf16.txt": "",
    "header_one_name_short.tsv": "its first name is 'gene_id'",
    "sample_name_twice.tsv": "column 's1' twice",
    "no_header.txt": "looks like data",
    "all_zero_sample.tsv": "sample s3 is all zero",
    "estimated_counts.tsv": "quantity: estimated",
}
LABELS = ("trailing_blanks.csv", "excel_blank_rows.csv", "stray_quote.tsv")
EDGES = {"source_column": "source", "target_column": "target"}
TERMS = {"gene_column": "gene", "term_column": "term"}
STRING = {"source_column": "protein1", "target_column": "protein2", "weight_column": "combined_score"}
GRAPHS = {
    "blanks": ({"kind": "edges", "path": "graphs/trailing_blanks.tsv", **EDGES}, {"TP53", "MDM2", "MDM4"}),
    "comments": ({"kind": "edges", "path": "graphs/comment_lines.tsv", **EDGES}, {"A", "B", "C"}),
    "quotes": ({"kind": "edges", "path": "graphs/stray_quote.tsv", **EDGES}, 20),
    "listed": (
        {"kind": "edges", "path": "graphs/edges.tsv", "genes": "graphs/gene_list_bom.txt", **EDGES},
        {"A", "B", "C"},
    ),
    "terms": (
        {
            "kind": "annotation",
            "path": "graphs/several_terms_in_a_cell.tsv",
            "gene_column": "gene",
            "term_column": "term",
        },
        {"A", "B", "C"},
    ),
    "sets": ({"kind": "annotation", "path": "graphs/blank_line.gmt"}, {"A", "B", "C"}),
    "string": ({"kind": "edges", "path": "graphs/string_links_as_downloaded.txt", **STRING, "full_weight": 1000}, 2),
}
SCREENS = {
    "cp10k": ({}, "no logarithm of counts is above 15"),
    "suffix": ({}, "label_separator"),
    "suffix_named": ({"path": "screens/suffix.h5ad", "label_separator": "_"}, ""),
    "twocontrols": ({}, "non-targeting"),
    "twocontrols_named": ({"path": "screens/twocontrols.h5ad", "control": ["control", "non-targeting"]}, ""),
    "condition5": ({}, ""),
    "compound_obs": ({}, ""),
}


@pytest.fixture(scope="module")
def odd(shared_data):
    folder = shared_data / "odd_inputs"
    if not folder.is_dir():
        pytest.skip(f"there is no folder {folder}")
    return folder


def run(folder, config, targets, *options):
    """Run some files of a config, going on where one is refused; the finished process."""
    (folder / "odd.yaml").write_text(yaml.safe_dump({"name": "odd", "seed": 1, **config}))
    return snakemake(
        folder, *targets, "--cores", "1", "--keep-going", "--configfile", "odd.yaml", *options, check=False
    )


def log_of(folder, rule, name):
    return (folder / f"results/odd/logs/{rule}/{name}.log").read_text()


@pytest.fixture(scope="module")
def studies(odd, tmp_path_factory):
    """Every table of counts and of labels as a user's study of one config."""
    folder = copy_repository(tmp_path_factory.mktemp("studies") / "scarceseq")
    lines = "".join(
        f'chr1\tx\tgene\t1\t9\t1000\t+\t.\tgene_id "ENSMUSG{gene:011d}"; gene_type "protein_coding"; '
        f'gene_name "Gene{gene}";\n'
        for gene in range(1, 41)
    )
    path = folder / "mirror/mouse/annotations/gene_sums/mouse.gene_sums.M023.gtf.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(lines.encode()))
    about = {"sample_column": "sample", "gene_id_type": "ensembl", "label_columns": ["condition"]}
    about |= {"min_protein_coding_share": 0.5}
    given = [(f"c{place}", name, "truth.tsv") for place, name in enumerate(COUNTS)]
    given += [(f"l{place}", "truth.tsv", name) for place, name in enumerate(LABELS)]
    given.append(("estimated", "estimated_counts.tsv", "truth.tsv"))
    config = {
        "archive": {"mirrors": ["mirror"], "organism": "mouse", "annotation": "M023"},
        "user_studies": [
            about
            | {"name": name, "counts": str(odd / "counts" / counts), "labels": str(odd / "labels" / labels)}
            | ({"quantity": "estimated"} if name == "estimated" else {})
            for name, counts, labels in given
        ],
        "corpus": {"splits": {"default": {"shares": {"pretrain": 0.5, "test": 0.5}, "seed": 1}}},
    }
    run(folder, config, [f"results/odd/archive/user/{name}/study.h5ad" for name, _, _ in given])
    return folder


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_read_as_they_stand_or_refused(studies, name):
    study = f"c{list(COUNTS).index(name)}"
    path = studies / f"results/odd/archive/user/{study}/study.h5ad"
    if COUNTS[name]:
        assert not path.exists()
        assert COUNTS[name] in log_of(studies, "import_study", study)
    else:
        assert np.asarray(anndata.read_h5ad(path).X.sum(axis=1)).ravel().tolist() == SUMS


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_read_as_they_stand(studies, name):
    rows = read_table(studies / f"results/odd/archive/user/l{LABELS.index(name)}/attributes.parquet")
    assert set(rows["value"]) == {"trt", "ctl"}
    for row in rows.itertuples():
        assert row.value == ("trt" if int(row.sample[-1]) % 2 == 0 else "ctl")


def test_what_the_config_declares_is_accepted_and_noted(studies):
    folder = studies / "results/odd/archive/user"
    assert "estimated" in read_table(folder / "estimated/notes.tsv")["kind"].tolist()


def test_graphs_and_embeddings_are_read_as_they_stand(odd, tmp_path):
    folder = copy_repository(tmp_path / "scarceseq")
    paths = ("path", "genes")
    graphs = {
        name: {key: str(odd / value) if key in paths else value for key, value in settings.items()}
        for name, (settings, _) in GRAPHS.items()
    }
    table = {"kind": "table", "path": str(odd / "embeddings/index_column.tsv"), "gene_column": "gene_name"}
    targets = [f"results/odd/network/{name}.parquet" for name in graphs]
    targets.append("results/odd/network/embeddings/table.parquet")
    done = run(folder, {"network": {"graphs": graphs, "embeddings": {"table": table}}}, targets)
    assert done.returncode == 0, done.stdout[-3000:]
    for name, (_, expected) in GRAPHS.items():
        edges = read_table(folder / f"results/odd/network/{name}.parquet")
        if isinstance(expected, int):
            links = {frozenset(pair) for pair in zip(edges["source"], edges["target"], strict=True)}
            assert (len(edges) if name == "string" else len(links)) == expected
        else:
            assert {*edges["source"], *edges["target"]} == expected
    weights = {(row.source, row.target): row.weight for row in read_table(folder / targets[4]).itertuples()}
    assert weights["A", "C"] == 0.5
    assert read_table(folder / targets[-1]).columns.tolist() == ["gene", "e1", "e2", "e3", "e4"]
    joins = read_table(folder / "results/odd/network/listed.joins.tsv").iloc[0]
    assert (joins["given"], joins["matched"]) == (3, 3)


def test_screens_are_read_as_they_stand_or_refused(odd, tmp_path):
    folder = copy_repository(tmp_path / "scarceseq")
    plain = {"kind": "cells", "perturbation_column": "perturbation", "control": "control"}
    screens = {
        name: plain
        | {"path": str(odd / changes.get("path", f"screens/{name}.h5ad"))}
        | {key: value for key, value in changes.items() if key != "path"}
        for name, (changes, _) in SCREENS.items()
    }
    del screens["condition5"]["perturbation_column"]
    run(folder, {"screens": screens}, [f"results/odd/screen/{name}/cells.h5ad" for name in screens])
    for name, (_, words) in SCREENS.items():
        path = folder / f"results/odd/screen/{name}/cells.h5ad"
        if words:
            assert not path.exists(), name
            assert words in log_of(folder, "normalise_cells", name)
        else:
            assert path.exists(), log_of(folder, "normalise_cells", name)
            assert read_json(path.with_name("cells.json"))["perturbations"] == 5
            assert {f"G{gene}" for gene in range(1, 6)} <= set(anndata.read_h5ad(path).obs["perturbation"])


@pytest.mark.parametrize(
    ("costs", "changes", "words"),
    [
        ("costs_of_unknown_names.tsv", {}, "match only when case is ignored"),
        ("costs_half_known.tsv", {}, "has no cost for"),
        ("costs_half_known.tsv", {"default_cost": 1}, ""),
    ],
)
def test_costs_of_unknown_names_stop_a_design_or_are_costed_as_it_says(odd, tmp_path, costs, changes, words):
    folder = copy_repository(tmp_path / "scarceseq")
    edges = "".join(f"G{gene}\tG{(gene + step) % 40}\n" for gene in range(40) for step in (1, 3))
    (folder / "links.tsv").write_text("source\ttarget\n" + edges)
    design = {"graph": "links", "required": str(odd / "design/candidates_bom.txt"), "budget": 1000}
    design |= {"costs": str(odd / "design" / costs), **changes}
    network = {"graphs": {"links": {"kind": "edges", "path": "links.tsv", **EDGES}}}
    done = run(folder, {"network": network, "design": design}, ["results/odd/design/order.tsv"])
    if words:
        assert done.returncode != 0
        assert words in log_of(folder, "design_screen", "all")
    else:
        assert done.returncode == 0, done.stdout[-3000:]
        order = read_table(folder / "results/odd/design/order.tsv").set_index("gene")
        assert order.loc[["G1", "G2", "G3"], "cost"].tolist() == [20, 30, 40]


@pytest.mark.parametrize("table", ["truth.tsv", "sra_run_table.csv", "two_ids_in_a_cell.tsv", "quote_in_title.tsv"])
def test_studies_are_left_out_by_any_of_their_ids(odd, finished_run, table):
    tiny = yaml.safe_load((finished_run / "tests/config/tiny.yaml").read_text())
    archive = tiny["archive"] | {"mirrors": ["results/tiny/demo/archive"], "excluded_studies": ["PRJNA6", "gse1007 "]}
    archive["study_accessions"] = str(odd / "accessions" / table)
    config = {"archive": archive, "corpus": tiny["corpus"]}
    done = run(finished_run, config, ["results/odd/archive/studies.tsv"], "--forcerun", "list_studies")
    assert done.returncode == 0, done.stdout[-3000:]
    studies = pd.read_csv(finished_run / "results/odd/archive/studies.tsv", sep="\t").set_index("project")
    left_out = studies["skip_reason"].dropna()
    assert {name for name in left_out.index if "excluded" in left_out[name]} == {"SRP900006", "SRP900007"}


def test_a_key_that_is_given_twice_is_refused_with_both_lines(odd, tmp_path):
    folder = copy_repository(tmp_path / "scarceseq")
    path = Path(odd) / "config/key_twice.yaml"
    done = snakemake(folder, "-n", "--configfile", str(path), check=False)
    lines = [
        number for number, line in enumerate(path.read_text().splitlines(), 1) if line.strip().startswith("label:")
    ]
    assert done.returncode != 0
    assert all(f"{number}" in done.stdout for number in lines)
    assert "label" in done.stdout


def test_every_handed_file_is_tried(odd):
    text = Path(__file__).read_text()
    files = [path for path in sorted(odd.rglob("*")) if path.is_file() and path.name != "README.md"]
    assert len(files) >= 37
    assert [path.name for path in files if path.name not in text and path.stem not in SCREENS] == []
