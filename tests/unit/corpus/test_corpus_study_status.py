"""What became of each study. Oracle: a list of studies whose fates are worked out by hand."""

import pandas as pd
from scarceseq.corpus.study_status import study_status

LISTED = pd.DataFrame(
    [
        ("S1", 4, "batch_0", None),
        ("S2", 3, "batch_0", None),
        ("S3", 2, "batch_1", None),
        ("S4", 5, "batch_1", None),
        ("S5", 1, None, "fewer than 2 runs"),
        ("S6", 2, "batch_1", None),
    ],
    columns=["project", "runs", "batch", "skip_reason"],
).assign(organism="mouse", source="sra")
SAMPLES = pd.DataFrame(
    [
        ("mouse", "sra", "S1", "a,b"),
        ("mouse", "sra", "S1", "c"),
        ("mouse", "user", "mine", "x"),
        ("mouse", "sra", "S6", "k,l"),
    ],
    columns=["organism", "source", "study", "runs"],
)
DROPPED = pd.DataFrame(
    [
        ("S1", "d", "few_mapped_reads", "3"),
        ("S1", "stray", "not_in_archive_table", None),
        *(("S2", run, reason, None) for run, reason in (("e", "all_zero"), ("f", "no_counts"), ("g", "all_zero"))),
        *(("S3", run, "study_unusable", "gene_sums damaged") for run in "hi"),
        *(("S4", run, "study_excluded", "excluded: GSE1 in its metadata") for run in "mnopq"),
        ("mine", "y", "duplicate_content", "x"),
    ],
    columns=["study", "run", "reason", "value"],
)


def test_every_study_has_one_fate_and_its_runs_add_up():
    table = study_status(LISTED, SAMPLES, DROPPED)
    assert [tuple(row) for row in table.drop(columns=["organism", "source"]).itertuples(index=False)] == [
        ("S1", 4, 3, 1, 2, "kept", "1 few_mapped_reads"),
        ("S2", 3, 0, 3, 0, "dropped", "2 all_zero, 1 no_counts"),
        ("S3", 2, 0, 2, 0, "unusable", "gene_sums damaged"),
        ("S4", 5, 0, 5, 0, "excluded by its metadata", "excluded: GSE1 in its metadata"),
        ("S5", 1, 0, 0, 0, "skipped", "fewer than 2 runs"),
        ("S6", 2, 2, 0, 1, "kept", None),
        ("mine", 1, 1, 0, 1, "kept", None),
    ]


def test_without_an_archive_there_are_the_studies_of_others():
    listed = LISTED.iloc[:0]
    assert study_status(listed, SAMPLES, DROPPED.iloc[:0])["study"].tolist() == ["S1", "S6", "mine"]
