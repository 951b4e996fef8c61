"""The five metadata tables of recount3, in the columns of the real mirror."""

from typing import Any

import numpy as np
import pandas as pd

from scarceseq.demo import columns
from scarceseq.demo.expression import mapped_length
from scarceseq.seeds import derive

PROCESSED = "2020-01-01"


def make_tables(runs: pd.DataFrame, totals: np.ndarray, seed: int) -> dict[str, pd.DataFrame]:
    """Metadata of all runs as text, by the names of `columns.TABLES`, rows as `runs`; what is unused is NA or 0.

    `runs` are of `scarceseq.demo.studies.make_runs`; `totals`, int64, (runs,), are their coverage of all bases (AUC).
    """
    generator = np.random.default_rng(derive(seed, "demo", "metadata"))
    made = {
        "recount_project": recount_project(runs),
        "sra": sra(runs),
        "recount_qc": recount_qc(runs, totals, generator),
        "recount_seq_qc": recount_seq_qc(runs, generator),
        "recount_pred": recount_pred(runs),
    }
    identity = {"rail_id": runs["rail_id"], "external_id": runs["run"], "study": runs["study"]}
    rest = {"recount_qc": "0", "recount_seq_qc": "0"}
    tables = {}
    for name, headings in columns.TABLES.items():
        values = identity | made[name]
        if unknown := set(values) - set(headings):
            raise KeyError(f"{name} has no columns {sorted(unknown)}")
        cells = {column: values.get(column, rest.get(name, "NA")) for column in headings}
        tables[name] = pd.DataFrame(cells, index=runs.index).astype(str)
    return tables


def recount_project(runs: pd.DataFrame) -> dict[str, Any]:
    """Where each run's files and metadata are."""
    source = "data_sources/sra"
    return {
        "project": runs["study"],
        "organism": "Mus musculus",
        "file_source": source,
        "metadata_source": source,
        "date_processed": PROCESSED,
    }


def attributes(run: Any) -> str:
    """Author-supplied attributes of one run, ``key;;value`` joined by ``|``, or NA."""
    if run.quirk == "empty_attributes":
        return "NA"
    pairs = [("age", run.age), ("sex", run.sex), ("strain", run.strain), ("tissue", run.tissue)]
    if run.treatment != "NA":
        pairs += [("treatment", run.treatment), ("treatment_kind", run.treatment_kind)]
    if run.quirk == "duplicate_attribute_keys":
        pairs += [("age", "adult"), ("source_name", f"whole {run.tissue}, adult")]
    return "|".join(f"{key};;{value}" for key, value in pairs)


def sra(runs: pd.DataFrame) -> dict[str, Any]:
    """What the submitter told the Sequence Read Archive."""
    title = runs["tissue"] + np.where(runs["treatment"] == "NA", "", " " + runs["treatment"])
    title = title + " " + runs["sample"]
    spots = reads_sequenced(runs)
    length = runs["read_length"] * np.where(runs["paired"], 2, 1)
    return {
        "sample_acc": runs["sample"],
        "experiment_acc": runs["experiment"],
        "submission_acc": "SRA" + runs["study"].str[3:],
        "submission_center": "Small World University",
        "study_title": "Transcriptomes of a generated study " + runs["study"],
        "study_abstract": "Drawn by a generator from a latent model of gene programmes.",
        "experiment_title": title,
        "library_name": title,
        "library_strategy": "RNA-Seq",
        "library_source": np.where(runs["quirk"] == "single_cell", "TRANSCRIPTOMIC SINGLE CELL", "TRANSCRIPTOMIC"),
        "library_selection": np.where(runs["quirk"] == "size_fractionation", "size fractionation", "cDNA"),
        "library_layout": np.where(runs["paired"], "paired", "single"),
        "platform_model": "Illumina HiSeq 2500",
        "sample_attributes": [attributes(run) for run in runs.itertuples()],
        "spot_length": length,
        "sample_name": runs["sample"],
        "sample_title": title,
        "sample_bases": spots * length,
        "sample_spots": spots,
        "run_published": "2019-06-01 00:00:00",
        "size": spots * length // 4,
        "run_total_bases": spots * length,
        "run_total_spots": spots,
        "num_reads": np.where(runs["paired"], 2, 1),
        "num_spots": spots,
    }


def reads_sequenced(runs: pd.DataFrame) -> pd.Series:
    """Fragments sequenced: a little more than were mapped; as many as planned where nothing was mapped."""
    return np.rint(runs["fragments"] * 1.06).astype(np.int64)


def recount_qc(runs: pd.DataFrame, totals: np.ndarray, generator: np.random.Generator) -> dict[str, Any]:
    """Alignment figures that agree with the coverage: mapped reads x mapped length = total coverage."""
    length = np.array([mapped_length(run) for run in runs.itertuples()])
    mapped = np.rint(totals / length).astype(np.int64)
    empty = mapped == 0
    unique_share = generator.uniform(0.80, 0.90, size=len(runs))
    unique = np.rint(mapped * unique_share).astype(np.int64)
    total_reads = np.where(empty, reads_sequenced(runs), np.rint(mapped * generator.uniform(1.02, 1.15, len(runs))))
    total_reads = total_reads.astype(np.int64)
    inside = generator.uniform(0.985, 0.995, size=len(runs))
    mates = np.where(runs["paired"], 2, 1)
    chromosome_x = generator.uniform(2.4, 3.2, size=len(runs))
    chromosome_y = np.where(runs["sex"] == "male", 0.25, 0.05) * generator.uniform(0.8, 1.2, size=len(runs))

    def percent(values: np.ndarray, digits: int = 2) -> np.ndarray:
        return np.round(100 * values, digits)

    return {
        "aligned_reads%.chrm": np.round(generator.uniform(3, 12, size=len(runs)), 2),
        "aligned_reads%.chrx": np.round(chromosome_x, 2),
        "aligned_reads%.chry": np.round(chromosome_y, 2),
        "bc_auc.all_reads_all_bases": totals,
        "bc_auc.all_reads_annotated_bases": np.rint(totals * inside).astype(np.int64),
        "bc_auc.unique_reads_all_bases": np.rint(totals * unique_share).astype(np.int64),
        "bc_auc.unique_reads_annotated_bases": np.rint(totals * unique_share * inside).astype(np.int64),
        "bc_auc.all_%": percent(np.where(empty, 0, inside)),
        "bc_auc.unique_%": percent(np.where(empty, 0, inside)),
        "star.all_mapped_reads": mapped,
        "star.all_mapped_reads_both": mapped,
        "star.average_input_read_length": runs["read_length"] * mates,
        "star.average_mapped_length": np.where(empty, 0, length),
        "star.number_of_input_reads": total_reads,
        "star.number_of_input_reads_both": total_reads,
        "star.uniquely_mapped_reads_number": unique,
        "star.uniquely_mapped_reads_number_both": unique,
        "star.uniquely_mapped_reads_%": percent(unique / total_reads),
        "star.uniquely_mapped_reads_%_both": percent(unique / total_reads, 1),
        "star.number_of_reads_mapped_to_multiple_loci": mapped - unique,
        "star.number_of_reads_mapped_to_multiple_loci_both": mapped - unique,
        "star.%_of_reads_mapped_to_multiple_loci": percent((mapped - unique) / total_reads),
        "star.%_reads_mapped_to_multiple_loci_both": percent((mapped - unique) / total_reads, 1),
        "star.%_mapped_reads_both": percent(mapped / total_reads, 1),
    }


def recount_seq_qc(runs: pd.DataFrame, generator: np.random.Generator) -> dict[str, Any]:
    """Read lengths (of one mate) and base composition."""
    gc = generator.uniform(23.0, 26.5, size=len(runs)).round(1)
    at = (50 - gc).round(1)
    return {
        "min_len": runs["read_length"],
        "max_len": runs["read_length"],
        "avg_len": [f"{length:.2f}" for length in runs["read_length"]],
        "#distinct_quality_values": 38,
        "#bases": reads_sequenced(runs) * runs["read_length"] * np.where(runs["paired"], 2, 1),
        "%A": at,
        "%C": gc,
        "%G": gc,
        "%T": at,
        "%N": "0.0",
        "avgQ": generator.uniform(34, 39, size=len(runs)).round(1),
        "errQ": generator.uniform(24, 36, size=len(runs)).round(1),
    }


def recount_pred(runs: pd.DataFrame) -> dict[str, Any]:
    """Predicted and curated labels; a curated tissue only in studies that have one."""
    kind = np.where(runs["quirk"] == "single_cell", "scrna-seq", "rna-seq")
    return {
        "sample_acc": runs["sample"],
        "curated.tissue": np.where(runs["curated"], runs["tissue"], "NA"),
        "pattern.predict.type": kind,
        "pred.type": kind,
    }
