"""A tiny archive in recount3's layout, and a server on loopback that can be told to fail."""

import contextlib
import gzip

import pytest
from faulty_mirror import serving
from scarceseq.archive.layout import Study, annotation_path, homes_path, project_table_path, study_path
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.settings import DownloadSettings

GENES = ["ENSMUSG00000000003.1", "ENSMUSG00000000001.4", "ENSMUSG00000000002.2"]
RUNS = ["SRR1", "SRR2", "SRR3"]
STUDY = Study("mouse", "sra", "SRP000101")
SETTINGS = DownloadSettings(connections=2, retries=1, backoff_seconds=0.01, timeout_seconds=5)


class Tiny:
    """One study of three runs and three genes. Its files can be read as text, changed and written back."""

    genes, runs, study, annotation = GENES, RUNS, STUDY, "M023"

    def __init__(self, folder):
        self.folder = folder
        key = [("rail_id", "external_id", "study")]
        rows = [(str(index), run, STUDY.project) for index, run in enumerate(RUNS)]
        self.write("gene_sums", _gene_sums())
        self.write(
            "source", [(*key[0], "experiment_acc", "sample_attributes")] + [(*row, "SRX1", "NA") for row in rows]
        )
        self.write("recount_qc", [(*key[0], "bc_auc.all_reads_all_bases")] + [(*row, "1000") for row in rows])
        self.write("recount_pred", [(*key[0], "pred.type")] + [(*row, "rna-seq") for row in rows])
        self.write("recount_seq_qc", [(*key[0], "#bases", "%A")] + [(*row, "5", "25.1") for row in rows])
        self.put(homes_path("mouse"), b"data_sources/sra\n")
        table = [(*key[0], "project", "organism")] + [(*row, STUDY.project, "Mus musculus") for row in rows]
        self.put(project_table_path("mouse", "sra"), gzip.compress(_text(table)))
        self.put(annotation_path("mouse", "M023"), gzip.compress(_gtf()))

    def path(self, kind):
        return study_path(STUDY, kind, "M023")

    def put(self, path, content):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(content)

    def write(self, kind, content):
        self.put(self.path(kind), gzip.compress(content if isinstance(content, bytes) else _text(content)))

    def read(self, kind):
        return gzip.decompress((self.folder / self.path(kind)).read_bytes())

    def raw(self, kind):
        return (self.folder / self.path(kind)).read_bytes()

    def remove(self, kind):
        (self.folder / self.path(kind)).unlink()


def _text(rows):
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def _gene_sums():
    head = "##annotation=M023\n##date.generated=2020-01-01\n"
    rows = [("gene_id", *RUNS), (GENES[0], "1", "2", "3"), (GENES[1], "4", "5", "6"), (GENES[2], "7", "8", "9")]
    return head.encode() + _text(rows)


def _gtf():
    lines = ["##format: gtf\n"]
    for number, gene in enumerate(GENES):
        attributes = f'gene_id "{gene}"; gene_type "protein_coding"; gene_name "G{number}";'
        lines.append(f"chr1\tHAVANA\tgene\t1\t9999\t{100 * (number + 1)}\t+\t.\t{attributes}\n")
    return "".join(lines).encode()


@pytest.fixture
def tiny(tmp_path):
    return Tiny(tmp_path / "mirror")


@pytest.fixture
def serve():
    """Function that serves a folder over HTTP; returns the server, with `address`, `faults` and `requests`."""
    with contextlib.ExitStack() as servers:
        yield lambda folder: servers.enter_context(serving(folder))


@pytest.fixture
def make_mirrors():
    """Function that makes impatient mirrors of some addresses."""
    return lambda *addresses: Mirrors([str(address) for address in addresses], SETTINGS)
