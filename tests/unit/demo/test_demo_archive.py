"""The generated archive is laid out as recount3's. Oracles: the real mirror's files, the peer client, the formulas."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
from scarceseq.demo import columns
from scarceseq.demo.check import check
from scarceseq.demo.genes import INFLATED_GENE
from scarceseq.errors import InputError
from scarceseq.files import read_json

REAL = "bulk/recount3_real/mouse_SRP081192_reconstructed_mirror/recount3"


@pytest.fixture(scope="module")
def mirror(tiny, mirror_of):
    return mirror_of(tiny / "archive")


@pytest.fixture(scope="module")
def quirks(tiny):
    return read_json(tiny / "truth/quirks.json")


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def test_same_seed_gives_the_same_bytes_another_seed_other_counts(make_demo, tiny, tiny_settings, tmp_path):
    again = make_demo(tmp_path / "again", seed=7, **tiny_settings)
    other = make_demo(tmp_path / "other", seed=8, **tiny_settings)
    assert digests(again) == digests(tiny)
    assert len(digests(tiny)) > 14 * 6
    unlike = digests(other)
    shared = set(unlike) & set(digests(tiny))
    same = {path for path in shared if unlike[path] == digests(tiny)[path]}
    assert not {path for path in same if "gene_sums" in path or "screen" in path or "annotation" in path}


def test_columns_of_the_metadata_tables_equal_those_of_the_real_mirror(mirror, shared_data, mirror_of):
    real = mirror_of(shared_data / REAL)
    for name, known in columns.TABLES.items():
        theirs = list(real.metadata("SRP081192", name).columns)
        assert list(known) == theirs
        assert list(mirror.metadata(mirror.studies()[0], name).columns) == theirs


def test_every_path_of_the_real_mirror_has_its_like(mirror, shared_data):
    study = mirror.studies()[0]
    for path in (shared_data / REAL).rglob("*"):
        if path.is_file():
            like = str(path.relative_to(shared_data / REAL)).replace("/92/", f"/{study[-2:]}/")
            assert (mirror.base / like.replace("SRP081192", study)).is_file(), like


def test_the_list_of_runs_of_the_source_holds_the_runs_of_all_studies(mirror):
    from_studies = [
        run for study in mirror.studies() for run in mirror.metadata(study, "recount_project")["external_id"]
    ]
    path = mirror.home / "metadata/sra.recount_project.MD.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert lines[0].split("\t") == list(columns.TABLES["recount_project"])
    assert sorted(line.split("\t")[1] for line in lines[1:]) == sorted(from_studies)
    assert len({line.split("\t")[0] for line in lines[1:]}) == len(from_studies)


def test_gene_sums_have_two_header_lines_the_genes_of_the_annotation_and_runs_in_another_order(mirror):
    unlike = 0
    for study in mirror.studies():
        lines = gzip.decompress(mirror.sums_path(study).read_bytes()).decode().splitlines()
        assert lines[0] == "##annotation=M023"
        assert lines[1].startswith("##date.generated=")
        sums = mirror.sums(study)
        assert list(sums.index) == list(mirror.annotation()["gene_id"])
        assert (sums.dtypes == np.int64).all()
        order = [run for run in mirror.metadata(study, "recount_project")["external_id"] if run in sums]
        assert sorted(order) == sorted(sums)
        unlike += order != list(sums)
    assert unlike > len(mirror.studies()) / 2


def test_exonic_length_is_at_most_the_genomic_width_and_usually_less(mirror):
    table = mirror.annotation()
    width = table[4] - table[3] + 1
    assert (table[5] <= width).all()
    assert (table[5] < width).mean() > 0.7
    assert 0.8 < (table["gene_type"] == "protein_coding").mean() < 0.9
    assert INFLATED_GENE in set(table["gene_id"])
    assert table["gene_id"].is_unique
    assert table["gene_name"].is_unique


def test_coverage_is_close_to_whole_fragments_and_adds_up_to_no_more_than_the_total(mirror):
    for study in mirror.studies():
        sums, quality = mirror.sums(study), mirror.metadata(study, "recount_qc").set_index("external_id").loc
        for run in sums:
            total = float(quality[run, "bc_auc.all_reads_all_bases"])
            length = float(quality[run, "star.average_mapped_length"])
            assert sums[run].sum() <= total
            if total:
                fragments = sums[run] / length
                assert np.abs(fragments - np.rint(fragments)).max() < 0.32
                assert float(quality[run, "star.all_mapped_reads"]) == pytest.approx(total / length, abs=1)


def test_paired_studies_are_told_by_twice_the_read_length(mirror):
    seen = set()
    for study in mirror.studies():
        quality, reads = mirror.metadata(study, "recount_qc"), mirror.metadata(study, "recount_seq_qc")
        length = quality["star.average_mapped_length"].astype(float)
        ratio = np.rint(length / reads["avg_len"].astype(float))[length > 0].unique()
        layout = mirror.metadata(study, "sra")["library_layout"].unique()
        assert list(ratio) == [{"single": 1, "paired": 2}[layout[0]]]
        seen.add(layout[0])
    assert seen == {"single", "paired"}


def test_the_peer_client_reads_sums_metadata_and_both_kinds_of_counts(mirror, tmp_path):
    recount3 = pytest.importorskip("recount3", reason="the peer recount3 is not installed")
    study = mirror.studies()[1]
    config = recount3.Config(mirror.base.as_uri() + "/", 10, False, 1, "test", tmp_path, False)
    same = {"organism": "mouse", "data_source": "sra", "project": study}
    description = recount3.R3GeneOrExonCounts(
        "count_files_gene_or_exon", genomic_unit="gene", annotation_extension="M023", **same
    )
    theirs = recount3.R3Resource(description, config=config).load()
    ours = mirror.sums(study)
    assert theirs.index.tolist() == ours.index.tolist()
    assert np.array_equal(theirs[ours.columns].to_numpy(), ours.to_numpy())
    quality = recount3.R3Resource(
        recount3.R3ProjectMetadata("metadata_files", table_name="recount_qc", **same), config=config
    ).load()
    names = {
        "auc_column": "bc_auc.all_reads_all_bases",
        "avg_mapped_read_length_column": "star.average_mapped_length",
        "mapped_reads_column": "star.all_mapped_reads",
    }
    factors = recount3.se.compute_scale_factors(quality.set_index("external_id", drop=False), by="auc", **names)
    own = mirror.metadata(study, "recount_qc").set_index("external_id")["bc_auc.all_reads_all_bases"].astype(float)
    np.testing.assert_allclose(factors.loc[own.index], 4e7 / own, rtol=1e-12)


def test_header_only_prediction_tables_exist(mirror, quirks):
    assert len(quirks["header_only_pred"]["studies"]) == 2
    for study in mirror.studies():
        empty = mirror.metadata(study, "recount_pred").empty
        assert empty == (study in quirks["header_only_pred"]["studies"])


def test_a_failed_run_has_no_counts_and_no_coverage_and_a_poor_one_few_reads(mirror, quirks):
    (study,), (run,) = quirks["zero_run"]["studies"], quirks["zero_run"]["runs"]
    quality = mirror.metadata(study, "recount_qc").set_index("external_id").loc
    assert (mirror.sums(study)[run] == 0).all()
    assert quality[run, "bc_auc.all_reads_all_bases"] == "0"
    assert float(quality[run, "star.average_mapped_length"]) == 0
    (study,), (run,) = quirks["low_mapped_run"]["studies"], quirks["low_mapped_run"]["runs"]
    quality = mirror.metadata(study, "recount_qc").set_index("external_id").loc
    assert 0 < int(quality[run, "star.all_mapped_reads"]) < 500_000


def test_a_single_cell_like_study_is_labelled_and_mostly_zero(mirror, quirks):
    (study,) = quirks["single_cell"]["studies"]
    assert set(mirror.metadata(study, "recount_pred")["pattern.predict.type"]) == {"scrna-seq"}
    assert (mirror.sums(study) == 0).to_numpy().mean() > 0.5


def test_technical_runs_share_an_experiment(mirror, quirks):
    assert len(quirks["technical_runs"]["studies"]) == 2
    for study in quirks["technical_runs"]["studies"]:
        table = mirror.metadata(study, "sra").set_index("external_id")
        shared = table[table["experiment_acc"].duplicated(keep=False)]
        assert set(shared.index) <= set(quirks["technical_runs"]["runs"])
        assert len(shared) == 2 * shared["experiment_acc"].nunique() > 0


def test_a_run_of_the_metadata_lacks_its_count_column(mirror, quirks):
    (study,), (run,) = quirks["missing_count_column"]["studies"], quirks["missing_count_column"]["runs"]
    assert run in set(mirror.metadata(study, "recount_project")["external_id"])
    assert run not in mirror.sums(study)


def test_sample_attributes_are_missing_doubled_or_hold_spaces_somewhere(mirror, quirks):
    def attributes(quirk):
        table = mirror.metadata(quirks[quirk]["studies"][0], "sra").set_index("external_id")
        return table.loc[quirks[quirk]["runs"][0], "sample_attributes"]

    assert attributes("empty_attributes") != attributes("empty_attributes")  # missing is unlike itself
    pairs = [pair.split(";;") for pair in attributes("duplicate_attribute_keys").split("|")]
    keys = [key for key, _ in pairs]
    assert keys.count("age") == 2
    assert any(" " in value for _, value in pairs)


def test_tiny_study_size_fractionation_huge_value_and_inflated_gene(mirror, quirks):
    assert len(mirror.metadata(quirks["tiny"]["studies"][0], "recount_project")) == 3
    (study,) = quirks["size_fractionation"]["studies"]
    assert set(mirror.metadata(study, "sra")["library_selection"]) == {"size fractionation"}
    (study,), (run,) = quirks["huge_value"]["studies"], quirks["huge_value"]["runs"]
    assert mirror.sums(study)[run].max() > 2**31
    assert quirks["inflated_gene"] == INFLATED_GENE


def test_treatment_is_balanced_within_tissue_and_studies_share_tissues(tiny, full):
    from scarceseq.files import read_table

    samples = read_table(full / "truth/samples.parquet")
    contrasts = samples[samples["treatment"] != "NA"]
    cells = contrasts.groupby(["study", "tissue"])["treatment"].value_counts().unstack(fill_value=0)
    assert (cells["control"] == cells["treated"]).all()
    assert 20 <= contrasts["study"].nunique() <= 40
    sizes = samples.groupby("study").size()
    assert (sizes >= 6).sum() == 59
    tissues = samples.groupby("study")["tissue"].agg(set)
    shared = [len(a & b) >= 3 for number, a in enumerate(tissues) for b in tissues.iloc[:number]]
    assert np.mean(shared) > 0.1


def test_settings_that_do_not_fit_are_refused(tiny_settings):
    config = {"demo": tiny_settings, "archive": {"organism": "mouse"}}
    check(config)
    with pytest.raises(InputError, match="more than a quarter"):
        check(config | {"demo": tiny_settings | {"perturbations": 100}})
    with pytest.raises(InputError, match="is of mouse"):
        check(config | {"archive": {"organism": "human"}})
