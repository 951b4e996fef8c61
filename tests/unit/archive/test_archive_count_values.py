"""What is taken for read counts and is none, labels that cannot be told apart, names that nearly match.

Oracles: tables made for the purpose, answers by hand.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scarceseq.archive.count_values import check_samples_are_no_lengths, whole_counts
from scarceseq.archive.label_checks import confounded, label_notes, look_alikes
from scarceseq.archive.settings import UserStudySettings
from scarceseq.archive.user_study import import_study, notes_among
from scarceseq.errors import InputError
from scarceseq.joins import check_join, joins_table, match_names

GENES = 60
LENGTHS = np.random.default_rng(3).integers(300, 9000, GENES)
ANNOTATION = pd.DataFrame(
    {
        "gene_id": [f"ENSMUSG{gene:011d}.3" for gene in range(GENES)],
        "gene_name": [f"Gene{gene}" for gene in range(GENES)],
        "gene_type": "protein_coding",
        "bp_length": LENGTHS,
    }
)


def counts(seed=0, samples=4):
    generator = np.random.default_rng(seed)
    values = generator.negative_binomial(1, 0.002, (GENES, samples))
    return pd.DataFrame(values, ANNOTATION["gene_id"], [f"s{sample}" for sample in range(samples)])


def per_million(table):
    """Whole-numbered CPM."""
    return (table / table.sum() * 1e6).round()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (per_million, "adds up to a million.*TPM or CPM"),
        (lambda table: np.log2(table + 1).round(), "logarithms"),
        (lambda table: table * 100, "every value is a multiple of 100.*coverage"),
        (lambda table: table * 3_000_017 + 1, "a sample adds up to .*coverage"),
        (lambda table: table + 0.25, "fractions.*quantity: estimated"),
        (lambda table: table.assign(s2=0), "sample s2 is all zero"),
        (lambda table: -table, "negative"),
        (lambda table: table.where(table > 5), "blank or NaN"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_no_read_count_is_refused_with_the_remedy(change, words, seed):
    with pytest.raises(InputError, match=f"my table.*{words}"):
        whole_counts(change(counts(seed)).astype(float), "counts", "my table")


@given(st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_read_counts_are_taken_as_they_are(seed):
    table = counts(seed)
    assert np.array_equal(whole_counts(table.astype(float), "counts", "x"), table.to_numpy())
    assert np.array_equal(whole_counts(table + 0.3, "estimated", "x"), table.to_numpy())


@pytest.mark.parametrize("name", ["Length", "gene_length", "bp.length", "width", "EffectiveLength", "Start", "Strand"])
def test_a_column_of_lengths_is_no_sample_by_its_name(name):
    with pytest.raises(InputError, match=f"column '{name}' is no sample by its name"):
        check_samples_are_no_lengths(counts().assign(**{name: 1}), LENGTHS, "x")


def test_a_column_of_lengths_is_no_sample_by_its_values():
    table = counts()
    check_samples_are_no_lengths(table, LENGTHS, "x")
    check_samples_are_no_lengths(table, np.zeros(GENES), "x")
    near = (LENGTHS * np.random.default_rng(1).uniform(0.9, 1.1, GENES)).round()
    with pytest.raises(InputError, match="column 'L' follows the genes' lengths"):
        check_samples_are_no_lengths(table.assign(L=near), LENGTHS, "x")


def test_labels_that_differ_by_case_and_blanks_alone_are_named():
    values = pd.Series(["ctl", "Ctl", "trt", "high fat", "high\xa0fat", "High-Fat", "x", None])
    assert look_alikes(values) == [["Ctl", "ctl"], ["High-Fat", "high fat", "high\xa0fat"]]


def test_a_batch_that_goes_with_the_condition_is_named():
    table = pd.DataFrame(
        {
            "condition": list("aabb"),
            "SeqRun": list("1122"),
            "lane": list("1234"),
            "plate": list("1212"),
            "code": list("xxyy"),
            "day": ["1", "1", "2", None],
        }
    )
    assert confounded(table, "condition") == ["SeqRun", "day"]
    kinds = label_notes(table, ["condition"])
    assert kinds[0] == ("confounded", "condition and SeqRun are the same thing here: nothing can be told apart")


def test_names_match_as_they_stand_by_other_names_and_in_any_case():
    join = match_names(
        ["A", "b", "OLD", "X.2", "1-Mar", "C"], ["A", "B", "NEW", "X", "c", "C"], "w", "t", {"OLD": {"NEW"}}
    )
    assert join.pairs == {"A": "A", "b": "B", "OLD": "NEW", "C": "C"}
    assert join.near() == ["X.2 (X)", "1-Mar (a date that Excel made of a symbol)"]
    row = joins_table([check_join(join, 0.5)]).iloc[0]
    assert row[["given", "matched", "in_another_case", "not_matched"]].tolist() == [6, 4, 1, 2]
    with pytest.raises(InputError, match=r"a share of 0\.67 of the smaller side, under minimum_matched_share 0.9"):
        check_join(join, 0.9)


def run(tmp_path, table, labels="sample\tcondition\ts_batch\ns0\ta\t1\ns1\tA\t1\ns2\tb\t2\ns3\tb\t2\n", **changed):
    table.to_csv(tmp_path / "counts.tsv", sep="\t", index_label="gene_id")
    (tmp_path / "labels.tsv").write_text(labels)
    keys = {
        "name": "mine",
        "counts": str(tmp_path / "counts.tsv"),
        "labels": str(tmp_path / "labels.tsv"),
        "gene_id_type": "ensembl",
        "label_columns": ["condition"],
        "organism": "mouse",
    }
    return import_study(UserStudySettings(**keys | changed), ANNOTATION)


def test_a_study_says_what_was_matched_and_what_to_mind(tmp_path):
    made = run(tmp_path, counts() + 0.25, quantity="estimated")
    assert np.array_equal(made.counts.T, counts().to_numpy())
    assert made.notes["kind"].tolist() == ["confounded", "look_alikes", "estimated"]
    assert made.notes["text"].iloc[0].startswith("condition and s_batch are the same thing here")
    rows = joins_table(made.joins).set_index("join")
    assert rows["matched"].tolist() == [4, GENES]
    assert rows["not_matched"].tolist() == [0, 0]


def test_a_batch_may_be_confounded_among_the_compared_classes_alone(tmp_path):
    labels = "sample\tcondition\ts_batch\ns0\ta\t1\ns1\tb\t2\ns2\tc\t1\ns3\ta\t1\n"
    made = run(tmp_path, counts() + 0.25, labels, quantity="estimated")
    assert made.notes["kind"].tolist() == ["estimated"]
    everything = notes_among(made, made.samples.index, "condition")
    assert everything["kind"].tolist() == ["estimated"]
    compared = notes_among(made, made.samples.index[[0, 1, 3]], "condition")
    assert compared["kind"].tolist() == ["confounded", "estimated"]


def test_columns_of_one_name_are_added_up_if_the_config_says_so(tmp_path):
    table = pd.concat([counts(0), counts(1)], axis=1)
    with pytest.raises(InputError, match="column 's0' twice"):
        run(tmp_path, table)
    made = run(tmp_path, table, duplicate_samples="sum")
    assert np.array_equal(made.counts.T, (counts(0) + counts(1)).to_numpy())
    assert "columns of one name were added up: s0, s1, s2, s3" in made.notes["text"].tolist()


def test_symbols_match_in_any_case_and_those_of_another_organism_do_not(tmp_path):
    table = counts().set_axis(ANNOTATION["gene_name"].tolist(), axis=0)
    mixed = table.set_axis([name.upper() if place % 3 else name for place, name in enumerate(table.index)], axis=0)
    made = run(tmp_path, mixed, gene_id_type="symbol")
    assert np.array_equal(made.counts.T, table.to_numpy())
    with pytest.raises(InputError, match=r"60 names match only when case is ignored.*another organism"):
        run(tmp_path, table.set_axis(table.index.str.upper(), axis=0), gene_id_type="symbol")


@pytest.mark.parametrize("kind", ["entrez", "refseq"])
def test_other_gene_ids_go_through_a_table(tmp_path, kind):
    ids = [f"NM_{gene:06d}" if kind == "refseq" else str(1000 + gene) for gene in range(GENES)]
    pairs = pd.DataFrame({"gene_id": ids, "ensembl_id": ANNOTATION["gene_id"].str.replace(".3", ".7")})
    pairs.to_csv(tmp_path / "ids.csv", index=False)
    table = counts().set_axis([f"{name}.2" if kind == "refseq" else name for name in ids], axis=0)
    made = run(tmp_path, table, gene_id_type=kind, gene_id_table=str(tmp_path / "ids.csv"))
    assert np.array_equal(made.counts.T, counts().to_numpy())
    with pytest.raises(InputError, match="needs the key gene_id_table"):
        run(tmp_path, table, gene_id_type=kind)


def test_a_sample_under_nearly_its_name_is_suggested(tmp_path):
    with pytest.raises(InputError, match=r"samples without a column.*nearly the same: S-0 \(s0\)"):
        run(tmp_path, counts(), labels="sample\tcondition\nS-0\ta\ns1\tb\n")
