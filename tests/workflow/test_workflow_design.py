"""A lab's list of genes, through the rule: tables, picture and page."""

import re

import pandas as pd
import yaml
from helpers import REPOSITORY, planned, snakemake

EDGES = [(f"G{a:03d}", f"G{(a * 7 + step) % 120:03d}") for a in range(120) for step in (1, 2, 5)]


def test_a_screen_is_designed_from_a_users_own_tables(repository_copy):
    links = "".join(f"{source}\t{target}\n" for source, target in EDGES)
    (repository_copy / "links.tsv").write_text("from\tto\n" + links)
    (repository_copy / "mine.txt").write_text(
        "".join(f"G{number:03d}\n" for number in range(0, 60)) + "FORMER\nnothing\n"
    )
    (repository_copy / "names.tsv").write_text("alias\tsymbol\nFORMER\tG100\n")
    config = yaml.safe_load((REPOSITORY / "config/design_screen.yaml").read_text())
    del config["data"]
    config["name"] = "mine"
    config["network"] = {
        "graphs": {"mine": {"kind": "edges", "path": "links.tsv", "source_column": "from", "target_column": "to"}}
    }
    config["design"] = {"graph": "mine", "candidates": "mine.txt", "aliases": "names.tsv", "budget": 12}
    config["design"] |= {"replicates": 2, "wells_per_plate": 48}
    (repository_copy / "mine.yaml").write_text(yaml.safe_dump(config))
    assert planned(repository_copy, "--configfile", "mine.yaml") == {
        "build_graph": 1,
        "design_screen": 1,
        "render_report": 1,
    }
    snakemake(repository_copy, "--cores", "2", "--configfile", "mine.yaml")
    folder = repository_copy / "results/mine/design"
    order = pd.read_csv(folder / "order.tsv", sep="\t")
    assert order["rank"].tolist() == list(range(1, 13))
    assert order["chosen_as"].eq("chosen").all()
    assert order["expected_error"].notna().all()
    plates = pd.read_csv(folder / "plates.tsv", sep="\t")
    assert plates["content"].value_counts().to_dict() == {"gene": 24, "empty": 56, "control": 16}
    assert not plates[plates["content"] == "gene"].duplicated(["plate", "gene"]).any()
    book = pd.read_excel(folder / "design.xlsx", sheet_name=None, keep_default_na=False)
    assert list(book) == ["order", "plates", "plate 1", "plate 2"]
    assert book["order"]["gene"].tolist() == order["gene"].tolist()
    wells = book["plate 2"].set_index("row").rename(columns=int).stack()
    second = plates[plates["plate"] == 2].set_index(["row", "column"])["gene"].fillna("")
    assert {place: name for place, name in wells.items() if name in set(order["gene"])} == second[
        second != ""
    ].to_dict()
    sheet = (folder / "summary.pdf").read_bytes()
    assert sheet.startswith(b"%PDF")
    assert sheet.count(b"/Type /Page ") == 1
    assert order["coverage_percent"].is_monotonic_increasing
    names = pd.read_csv(folder / "names.tsv", sep="\t", keep_default_na=False).set_index("given")
    assert names.loc["FORMER", "gene"] == "G100"
    assert names.loc["nothing", "outcome"] == "unknown"
    page = (folder / "summary.html").read_text()
    assert "nothing" in page
    assert "12 genes of 61 candidates are expected to leave" in page
    assert "12 genes take 2 plates with 2 wells a gene, no two of them on one plate" in page
    assert not re.search(r'(?:src|href)="https?://', page)
    assert (folder / "coverage.svg").read_text().startswith("<?xml")
    assert "Genes to perturb" in (repository_copy / "results/mine/report.html").read_text()
    assert planned(repository_copy, "--configfile", "mine.yaml") == {}
    (repository_copy / "mine.txt").write_text("G001\nG002\nG003\n")
    assert planned(repository_copy, "--configfile", "mine.yaml") == {"design_screen": 1, "render_report": 1}
    responses = "".join(f"G{number:03d},{number % 7}\n" for number in range(70, 100))
    (repository_copy / "first.csv").write_text("gene,score\n" + responses)
    config["design"] |= {"goal": "hits", "responses": "first.csv", "response_column": "score", "budget": 2}
    (repository_copy / "mine.yaml").write_text(yaml.safe_dump(config))
    snakemake(repository_copy, "--cores", "2", "--configfile", "mine.yaml")
    order = pd.read_csv(folder / "order.tsv", sep="\t")
    assert set(order["gene"]) < {"G001", "G002", "G003"}
    assert order["expected_response"].between(0, 6).all()
    assert "the 30 responses so far" in (folder / "summary.html").read_text()
    assert planned(repository_copy, "--configfile", "mine.yaml") == {}
    (repository_copy / "first.csv").write_text("gene,score\n" + responses.replace("G070,0", "G070,5"))
    assert planned(repository_copy, "--configfile", "mine.yaml") == {"design_screen": 1, "render_report": 1}
