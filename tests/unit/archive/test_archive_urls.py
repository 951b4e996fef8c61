"""Every URL that is asked for is one of recount3's. Oracle: the URLs that the client of the package index makes."""

import itertools

import pandas as pd
import pytest
import yaml
from scarceseq.archive.fetch import fetch_batch
from scarceseq.archive.layout import KINDS, Study, annotation_path, homes_path, project_table_path, study_path
from scarceseq.archive.plan import fetch_project_tables, planned_studies
from scarceseq.archive.ruled_out import StudyExclusion
from scarceseq.archive.settings import MetadataFilter
from scarceseq.archive.tables import read_annotation

recount3 = pytest.importorskip("recount3", reason="the peer recount3 is not installed")
CONFIGS = ("mouse", "human", "mouse_small", "human_small")


def urls_of_client(organism, source, project, annotation):
    """Every path that the client knows of a study's metadata, its gene sums, its organism's lists and annotation."""
    of_source = {"organism": organism, "data_source": source}
    study = of_source | {"project": project}
    tables = {
        kind: recount3.R3ProjectMetadata("metadata_files", table_name=source if kind == "source" else kind, **study)
        for kind in KINDS[1:]
    }
    sums = {"genomic_unit": "gene", "annotation_extension": annotation}
    found = tables | {
        "gene_sums": recount3.R3GeneOrExonCounts("count_files_gene_or_exon", **study, **sums),
        "homes": recount3.R3DataSources("data_sources", organism=organism),
        "projects": recount3.R3DataSourceMetadata("data_source_metadata", **of_source),
        "annotation": recount3.R3Annotations("annotations", organism=organism, **sums),
    }
    return {kind: resource.url_path() for kind, resource in found.items()}


def urls_asked_for(organism, source, project, annotation):
    study = Study(organism, source, project)
    return {kind: study_path(study, kind, annotation) for kind in KINDS} | {
        "homes": homes_path(organism),
        "projects": project_table_path(organism, source),
        "annotation": annotation_path(organism, annotation),
    }


@pytest.mark.parametrize("organism", ["mouse", "human"])
def test_paths_of_every_project_of_the_real_list_are_those_of_the_client(organism, shared_data):
    path = shared_data / f"bulk/recount3_inventory/{organism}_samples_from_ucsc_hubs.tsv.gz"
    projects = pd.read_csv(path, sep="\t", dtype=str)[["source", "project"]].drop_duplicates()
    assert len(projects) > 8000
    annotation = {"mouse": "M023", "human": "G026"}[organism]
    for source, project in projects.itertuples(index=False):
        of_study = organism, source, project, annotation
        assert urls_asked_for(*of_study) == urls_of_client(*of_study)


def test_what_a_run_asks_a_server_for_are_the_clients_paths_and_nothing_else(tiny, serve, make_mirrors, tmp_path):
    names = ["rail_id", "external_id", "study", "bc_auc.all_reads_all_bases", "star.all_mapped_reads"]
    rows = [[str(place), run, tiny.study.project, "9", "9"] for place, run in enumerate(tiny.runs)]
    tiny.write("recount_qc", "".join("\t".join(row) + "\n" for row in [names, *rows]).encode())
    server = serve(tiny.folder)
    mirrors = make_mirrors(server.address)
    runs = fetch_project_tables(mirrors, "mouse", ["sra"], tmp_path)
    mirrors.fetch(annotation_path("mouse", "M023"), tmp_path / "genes.gtf.gz", read_annotation, 1 << 20)
    genes = list(read_annotation(tmp_path / "genes.gtf.gz")["gene_id"])
    exclusion = StudyExclusion(MetadataFilter(min_mapped_reads=1))
    fetch_batch(mirrors, planned_studies(runs), "M023", genes, tmp_path / "batch", exclusion)
    assert sorted(server.requests) == sorted(urls_of_client("mouse", "sra", tiny.study.project, "M023").values())


@pytest.mark.parametrize("config", CONFIGS)
def test_shipped_configs_name_mirrors_sources_and_annotations_that_the_client_knows(config, request):
    archive = yaml.safe_load((request.config.rootpath / f"config/{config}.yaml").read_text())["archive"]
    for source, mirror in itertools.product(archive["sources"], archive["mirrors"]):
        assert mirror.startswith("https://")
        assert not mirror.endswith("/")
        assert urls_of_client(archive["organism"], source, "SRP000001", archive["annotation"])
