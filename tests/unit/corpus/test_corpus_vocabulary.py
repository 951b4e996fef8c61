"""Spellings and their terms. Oracles: labels that a person gave beside what authors wrote; counts by hand."""

import csv
import logging

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from scarceseq.corpus.attributes import SCHEMA, join_attributes
from scarceseq.corpus.vocabulary import SHIPPED, Terms, plain, read_vocabulary
from scarceseq.errors import InputError

ATTRIBUTES = ("tissue", "sex", "strain")
# Terms that are narrower than the words of the curated labels, and what they are there.
WIDER = {
    "cerebellum": "brain",
    "hippocampus": "brain",
    "olfactory bulb": "brain",
    "cerebral cortex": "brain",
    "white adipose tissue": "adipose",
    "brown adipose tissue": "adipose",
    "retina": "eye",
    "quadriceps femoris": "skeletal muscle",
    "skeletal muscle tissue": "skeletal muscle",
}


@pytest.fixture(scope="module")
def shipped():
    return read_vocabulary(ATTRIBUTES)


def rows_of_file():
    with SHIPPED.open(newline="") as file:
        return list(csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t"))


def test_every_row_of_the_shipped_table_is_whole_and_no_spelling_has_two_terms():
    rows = rows_of_file()
    spelt = [(row["attribute"], row["kind"], plain(row["written"])) for row in rows]
    assert len(spelt) == len(set(spelt)) > 800
    assert all(row["source"] and row["written"] == row["written"].strip() for row in rows)
    # A term is itself a spelling of it, so that terms read again do not change.
    terms = {(row["attribute"], row["term"]) for row in rows if row["term"]}
    assert all((name, "value", plain(term)) in set(spelt) for name, term in terms)


@pytest.mark.parametrize(
    ("attribute", "written", "term"),
    [
        ("tissue", "Liver", "liver"),
        ("tissue", "whole adult mouse liver", "liver"),
        ("tissue", "liver|Liver tissue", "liver"),
        ("tissue", "liver|kidney", None),
        ("tissue", "Brain - Cortex", "cerebral cortex"),
        ("tissue", "Left lobe of the Liver", "liver"),
        ("tissue", "eWAT", "white adipose tissue"),
        ("tissue", "liver-infiltrating T cells", None),
        ("tissue", "liver tumor", None),
        ("tissue", "not collected", ""),
        ("tissue", "  ", ""),
        ("sex", "M", "male"),
        ("sex", "female mice", "female"),
        ("sex", "pooled male and female", "mixed"),
        ("sex", "missing", ""),
        ("sex", "ovariectomised", None),
        ("strain", "C57Bl/6", "C57BL/6"),
        ("strain", "C57BL/6J", "C57BL/6J"),
        ("strain", "Balb/C", "BALB/c"),
        ("strain", "wild type FVB", "FVB/N"),
        ("strain", "a strain of my own", None),
    ],
)
def test_what_authors_write_leads_to_a_term_or_to_none(shipped, attribute, written, term):
    assert shipped[attribute].term(written) == term


def test_labels_of_real_studies_get_the_term_that_a_person_gave_them(shipped, shared_data):
    labels = pd.read_csv(shared_data / "studies/LABELS.tsv", sep="\t", dtype=str, keep_default_na=False)
    compared = 0
    for (study, sample), row in labels.set_index(["study_id", "sample"]).iterrows():
        path = next(iter((shared_data / "studies").glob(f"*/{study}/samples.tsv")), None)
        if path is None:
            continue
        written = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False).set_index("sample")
        for name in ("tissue", "sex"):
            column = next((c for c in written if plain(c) in (name, "gender")), None)
            if column is None or sample not in written.index or not row[name]:
                continue
            term = shipped[name].term(written.loc[sample, column])
            if term:
                assert row[name] in (term, WIDER.get(term), term.split()[0]), (study, sample, term)
                compared += 1
    assert compared > 200


def test_most_curated_tissues_of_human_studies_have_a_term(shipped, shared_data):
    path = shared_data / "bulk/recount3_inventory/human_curated_tissue_cancer_labels.tsv.gz"
    labels = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)["tissue.category"]
    uses = labels.value_counts()
    terms = uses.index.map(shipped["tissue"].term)
    assert uses[[bool(term) for term in terms]].sum() / uses.sum() > 0.6
    # Cells and lines are no tissue.
    assert [shipped["tissue"].term(text) for text in ("iPSCs", "T cells", "cancer cell lines")] == [None] * 3


def attributes_file(path, rows):
    columns = list(zip(*rows, strict=True))
    pyarrow.parquet.write_table(pa.Table.from_arrays([pa.array(c, pa.string()) for c in columns], schema=SCHEMA), path)
    return path


def test_terms_are_added_beside_what_was_written_and_every_spelling_is_counted(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    first = attributes_file(
        tmp_path / "a.parquet",
        [
            ("s1", "tissue", "Livers"),
            ("s1", "source_name", "kidney"),
            ("s2", "source_name", "Whole kidney"),
            ("s2", "tissue", "not applicable"),
            ("s3", "tissue", "organoid"),
            ("s3", "source_name", "kidney"),
            ("gone", "tissue", "liver"),
        ],
    )
    second = attributes_file(
        tmp_path / "b.parquet",
        [("s4", "tissue", "organoid"), ("s4", "tissue_term", "stale"), ("s5", "age", "3 months")],
    )
    terms = Terms(read_vocabulary(["tissue"]))
    join_attributes([first, second], [["s1", "s2", "s3"], ["s4", "s5"]], tmp_path / "all.parquet", terms)
    table = pd.read_parquet(tmp_path / "all.parquet")
    made = table[table["key"] == "tissue_term"]
    assert sorted(made[["sample", "value"]].itertuples(index=False, name=None)) == [("s1", "liver"), ("s2", "kidney")]
    assert set(table.loc[table["key"] == "tissue", "value"]) == {"Livers", "not applicable", "organoid"}
    samples = pd.DataFrame({"sample": ["s1", "s2", "s3", "s4", "s5"], "study": ["A", "A", "A", "B", "B"]})
    use = terms.use(samples)
    assert use.to_numpy().tolist() == [
        ["tissue", "tissue", "organoid", "", 2, 2],
        ["tissue", "tissue", "Livers", "liver", 1, 1],
        ["tissue", "source_name", "Whole kidney", "kidney", 1, 1],
    ]
    assert "2 of 5 samples have a term; 1 spellings of 2 samples are left over; organoid (2)" in caplog.text


def test_without_a_vocabulary_attributes_stay_as_they_are(tmp_path):
    rows = [("s1", "tissue", "Livers"), ("s1", "tissue_term", "mine")]
    path = attributes_file(tmp_path / "a.parquet", rows)
    join_attributes([path], [["s1"]], tmp_path / "all.parquet")
    assert pd.read_parquet(tmp_path / "all.parquet").to_numpy().tolist() == [list(row) for row in rows]


def test_a_users_table_comes_first_and_can_take_a_spelling_out(tmp_path):
    table = tmp_path / "mine.tsv"
    lines = ["attribute\tkind\twritten\tterm", "tissue\tvalue\torganoid\tintestine", "tissue\tvalue\tLIVER\t"]
    lines += ["disease\tkey\tdisease state\t", "disease\tvalue\tHCC\thepatocellular carcinoma"]
    table.write_text("\n".join(lines) + "\n")
    found = read_vocabulary(["tissue", "disease"], table)
    assert [found["tissue"].term(text) for text in ("organoid", "liver", "kidney")] == ["intestine", "", "kidney"]
    assert found["disease"].term("hcc") == "hepatocellular carcinoma"
    with pytest.raises(InputError, match=r"vocabulary\.attributes.*'disease'.*sex, strain, tissue"):
        read_vocabulary(["disease"])
    table.write_text("attribute\tkind\twritten\tterm\ntissue\tword\torgan\tx\n")
    with pytest.raises(InputError, match=r"mine\.tsv.*needs an attribute, a kind"):
        read_vocabulary(["tissue"], table)
