"""Counts, RPKM, TPM and scale factors. Oracles: results computed in R, and the client from the package index."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest
import upstream_formulas
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scarceseq.archive.layout import Study, annotation_path, study_path
from scarceseq.archive.tables import read_annotation, read_metadata
from scarceseq.corpus import transform
from whole_gene_sums import read_gene_sums

STUDY = Study("mouse", "sra", "SRP081192")


@pytest.fixture(scope="module")
def mirror(shared_data):
    return shared_data / "bulk/recount3_real/mouse_SRP081192_reconstructed_mirror/recount3"


@pytest.fixture(scope="module")
def expected(shared_data):
    """Function that reads one table computed in R, as (genes, runs)."""
    folder = shared_data / "bulk/recount3_real/mouse_SRP081192_expected"
    return lambda name: pd.read_csv(folder / f"{name}.tsv.gz", sep="\t", index_col=0)


@pytest.fixture(scope="module")
def factors(shared_data):
    path = shared_data / "bulk/recount3_real/mouse_SRP081192_expected/scale_factors.tsv"
    return pd.read_csv(path, sep="\t", index_col="external_id")


@pytest.fixture(scope="module")
def study(mirror, factors):
    """Coverage sums (runs, genes) in the order of the R tables, lengths, QC tables by run."""
    _, gene_ids, sums = read_gene_sums(mirror / study_path(STUDY, "gene_sums", "M023"), list(factors.index))
    annotation = read_annotation(mirror / annotation_path("mouse", "M023"))
    assert gene_ids == annotation["gene_id"].tolist()
    tables = [read_metadata(mirror / study_path(STUDY, kind, "M023")) for kind in ("recount_qc", "recount_seq_qc")]
    quality = tables[0].merge(tables[1], on="external_id").set_index("external_id").loc[factors.index]
    return pd.DataFrame(sums.T, index=factors.index, columns=gene_ids), annotation["bp_length"].to_numpy(), quality


def number(quality, name):
    return quality[name].astype(float).to_numpy()


def test_read_counts_equal_the_authors_own_run_in_r(study, expected):
    sums, _, quality = study
    counts = upstream_formulas.read_counts(sums, number(quality, "star.average_mapped_length"))
    table = expected("compute_read_counts.from_upstream_R")
    assert table.columns.tolist() == sums.index.tolist()
    assert table.index.tolist() == sums.columns.tolist()
    assert np.array_equal(counts.T, table.to_numpy())
    assert counts.size == 332_526


def test_counts_scaled_by_coverage_equal_r(study, expected):
    sums, _, quality = study
    scale = upstream_formulas.scale_by_auc(number(quality, "bc_auc.all_reads_all_bases"))
    assert np.array_equal(upstream_formulas.scaled_counts(sums, scale).T, expected("transform_counts_auc").to_numpy())


def test_scale_factors_equal_r(study, factors):
    _, _, quality = study
    paired = upstream_formulas.is_paired_end(number(quality, "star.average_mapped_length"), number(quality, "avg_len"))
    by_auc = upstream_formulas.scale_by_auc(number(quality, "bc_auc.all_reads_all_bases"))
    by_reads = upstream_formulas.scale_by_mapped_reads(
        number(quality, "star.all_mapped_reads"), number(quality, "star.average_mapped_length"), paired
    )
    assert paired.tolist() == factors["paired_end"].astype(float).tolist()
    np.testing.assert_allclose(by_auc, factors["scale_auc"], rtol=1e-13)
    np.testing.assert_allclose(by_reads, factors["scale_mapped_reads"], rtol=1e-13)


def test_tpm_of_coverage_sums_equals_r(study, expected):
    sums, length, _ = study
    np.testing.assert_allclose(transform.tpm(sums, length).T, expected("tpm_from_raw_bases"), rtol=1e-6)


def test_tpm_through_scaled_counts_and_rpkm_equals_r(study, expected):
    sums, length, quality = study
    counts = upstream_formulas.scaled_counts(
        sums, upstream_formulas.scale_by_auc(number(quality, "bc_auc.all_reads_all_bases"))
    )
    rpkm = upstream_formulas.rpkm(counts, length)
    table = expected("getTPM_after_transform_counts")
    np.testing.assert_allclose((rpkm / rpkm.sum(axis=1, keepdims=True) * 1e6).T, table, rtol=1e-6)
    np.testing.assert_allclose(transform.tpm(counts, length).T, table, rtol=1e-6)


@pytest.fixture
def client(mirror, tmp_path):
    """The `recount3` package's configuration for the same mirror, served on loopback."""
    recount3 = pytest.importorskip("recount3", reason="the peer recount3 is not installed")
    handler = partial(QuietHandler, directory=mirror)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    yield recount3.Config(base, 10, False, 1, "test", tmp_path / "cache", False)
    server.shutdown()
    server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_the_client_of_the_package_index_reads_the_same_sums_and_scales_alike(client, study):
    import recount3

    sums, _, quality = study
    same = {"organism": "mouse", "data_source": "sra", "project": STUDY.project}
    counts = recount3.R3Resource(
        recount3.R3GeneOrExonCounts(
            "count_files_gene_or_exon", genomic_unit="gene", annotation_extension="M023", **same
        ),
        config=client,
    ).load()
    theirs = counts[sums.index]
    assert theirs.index.tolist() == sums.columns.tolist()
    assert np.array_equal(theirs.to_numpy().T, sums)

    tables = [
        recount3.R3Resource(recount3.R3ProjectMetadata("metadata_files", table_name=name, **same), config=client).load()
        for name in ("recount_qc", "recount_seq_qc")
    ]
    joined = tables[0].merge(tables[1], on=["rail_id", "external_id", "study"]).set_index("external_id", drop=False)
    joined = joined.loc[sums.index]
    columns = {
        "auc_column": "bc_auc.all_reads_all_bases",
        "avg_mapped_read_length_column": "star.average_mapped_length",
        "mapped_reads_column": "star.all_mapped_reads",
    }
    paired = recount3.se.is_paired_end(joined, "star.average_mapped_length", "avg_len")
    by_auc = recount3.se.compute_scale_factors(joined, by="auc", **columns)
    by_reads = recount3.se.compute_scale_factors(joined, by="mapped_reads", paired_end_status=paired, **columns)
    length = number(quality, "star.average_mapped_length")
    ours = upstream_formulas.is_paired_end(length, number(quality, "avg_len"))
    assert ours.tolist() == paired.astype(float).tolist()
    assert np.array_equal(upstream_formulas.scale_by_auc(number(quality, "bc_auc.all_reads_all_bases")), by_auc)
    reads = number(quality, "star.all_mapped_reads")
    np.testing.assert_allclose(upstream_formulas.scale_by_mapped_reads(reads, length, ours), by_reads, rtol=1e-15)


def test_the_clients_experiment_gives_the_same_counts_and_tpm(client, study, monkeypatch):
    pytest.importorskip("summarizedexperiment", reason="the client needs the BiocPy packages for experiments")
    import recount3

    monkeypatch.setenv("RECOUNT3_URL", client.base_url)
    monkeypatch.setenv("RECOUNT3_CACHE_DIR", str(client.cache_dir))
    sums, length, quality = study
    experiment = recount3.create_rse(project=STUDY.project, organism="mouse", annotation_extension="M023")
    theirs = recount3.se.compute_read_counts(experiment)[sums.index]
    mapped = number(quality, "star.average_mapped_length")
    assert np.array_equal(upstream_formulas.read_counts(sums, mapped).T, theirs)
    tpm = recount3.se.compute_tpm(experiment)[sums.index]
    np.testing.assert_allclose(transform.tpm(sums, length).T, tpm, rtol=1e-12)


SUMS = arrays(np.int64, (3, 5), elements=st.integers(0, 2**40)).filter(lambda sums: sums.any(axis=1).all())
LENGTHS = arrays(np.int64, 5, elements=st.integers(1, 100_000))


@given(SUMS, LENGTHS)
def test_tpm_adds_up_to_a_million(sums, length):
    np.testing.assert_allclose(transform.tpm(sums, length).sum(axis=1), 1e6, rtol=1e-12)


@given(SUMS, LENGTHS, st.integers(1, 1000))
def test_tpm_does_not_depend_on_depth_or_read_length(sums, length, factor):
    np.testing.assert_allclose(transform.tpm(sums * factor, length), transform.tpm(sums, length), rtol=1e-12)


@given(SUMS, LENGTHS)
def test_tpm_of_rpkm_is_tpm_of_counts(sums, length):
    rpkm = upstream_formulas.rpkm(sums, length)
    np.testing.assert_allclose(rpkm / rpkm.sum(axis=1, keepdims=True) * 1e6, transform.tpm(sums, length), rtol=1e-12)


def test_halves_are_rounded_to_even_as_in_r():
    assert upstream_formulas.scaled_counts([[1, 3, 5]], [0.5]).tolist() == [[0, 2, 2]]


def test_paired_ends_are_told_by_the_ratio_of_lengths():
    paired = upstream_formulas.is_paired_end([150, 75.4, 300, 75], [75, 75, 75, 0])
    np.testing.assert_array_equal(paired, [1, 0, np.nan, np.nan])


def test_log_tpm_is_computed_in_double_precision():
    sums = np.array([[2**40 + 1, 3, 2**40]])
    made = transform.log_tpm(sums, [1, 1, 1])
    assert made.dtype == np.float64
    np.testing.assert_allclose(made[0, 1], np.log1p(3e6 / (2**41 + 4)) / np.log(2), rtol=1e-9)
    assert made[0, 1] > 0  # 3 reads of 2**41 per million: lost if sums were float32 before the logarithm
