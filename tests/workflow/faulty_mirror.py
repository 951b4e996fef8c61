"""A small archive of many studies, and a server on loopback whose answers can be made wrong in every known way."""

import contextlib
import gzip
import socket
import struct
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from scarceseq.archive.layout import Study, annotation_path, homes_path, project_table_path, study_path

ANNOTATION = "M023"
GENES = [f"ENSMUSG{index:011d}.1" for index in range(200)]
KEY = ("rail_id", "external_id", "study")
QUALITY = {
    "bc_auc.all_reads_all_bases": "5000",
    "star.all_mapped_reads": "9000000",
    "star.average_mapped_length": "100",
}


class Archive:
    """Studies of a few runs each, with their true sums.

    Attributes
    ----------
    sums : dict of {str: dict of {str: numpy.ndarray}}
        By study and run: int64, (genes,).
    """

    def __init__(self, folder, studies, runs=4):
        self.folder, self.sums = folder, {}
        generator = np.random.default_rng(11)
        for number, study in enumerate(studies):
            names = [f"SRR{number:03d}{run}" for run in range(runs)]
            self.sums[study] = {name: generator.integers(1, 5000, len(GENES)) for name in names}
            self.write(study)
        rows = [(run, study) for study, found in self.sums.items() for run in found]
        table = [(*KEY, "project")] + [(str(index), run, study, study) for index, (run, study) in enumerate(rows)]
        self.put(project_table_path("mouse", "sra"), packed(table))
        self.put(homes_path("mouse"), b"data_sources/sra\n")
        lines = [
            f'chr1\tX\tgene\t1\t9\t100\t+\t.\tgene_id "{gene}"; gene_type "protein_coding"; gene_name "{gene[-6:]}";'
            for gene in GENES
        ]
        self.put(annotation_path("mouse", ANNOTATION), gzip.compress("\n".join(lines).encode() + b"\n"))

    def write(self, study, columns=None, annotation=ANNOTATION):
        """Write a study's files; `columns` are the runs of gene sums in the order wanted."""
        sums = self.sums[study]
        columns = list(sums) if columns is None else columns
        values = np.stack([sums.get(run, np.full(len(GENES), 3)) for run in columns], axis=1).astype(str)
        rows = [("gene_id", *columns), *((gene, *row) for gene, row in zip(GENES, values, strict=True))]
        head = f"##annotation={annotation}\n##date.generated=2020\n".encode()
        self.put(self.path(study), gzip.compress(head + text(rows), 1))
        keys = [(str(index), run, study) for index, run in enumerate(sums)]
        tables = {
            "source": [(*KEY, "experiment_acc")] + [(*key, key[1].replace("SRR", "SRX")) for key in keys],
            "recount_qc": [(*KEY, *QUALITY)] + [(*key, *QUALITY.values()) for key in keys],
            "recount_pred": [(*KEY, "pred.type")] + [(*key, "rna-seq") for key in keys],
            "recount_seq_qc": [(*KEY, "avg_len")] + [(*key, "100") for key in keys],
        }
        for kind, table in tables.items():
            self.put(self.path(study, kind), packed(table))

    def path(self, study, kind="gene_sums"):
        """Path of a file below the mirror's base."""
        return study_path(Study("mouse", "sra", study), kind, ANNOTATION)

    def raw(self, study):
        """Bytes of a study's gene sums."""
        return (self.folder / self.path(study)).read_bytes()

    def put(self, path, content):
        """Write bytes to a path below the mirror's base."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(content)


def text(rows):
    """Tab-separated lines."""
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def packed(rows):
    """The same, compressed."""
    return gzip.compress(text(rows))


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; `server.faults` maps a path below it to a function of the handler that answers instead."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answer, truly or not."""
        path = self.path.lstrip("/")
        self.server.requests.append(path)
        fault = self.server.faults.get(path)
        if fault is None or fault(self) is False:
            with contextlib.suppress(ConnectionError):
                super().do_GET()

    def answer(self, status, body=b"", announced=None, **headers):
        """Send an answer whose announced length may be a lie."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)
        self.close_connection = True

    def asked_before(self):
        """Whether this path has been asked for before."""
        return self.server.requests.count(self.path.lstrip("/")) > 1

    def log_message(self, *arguments):
        """Say nothing."""


@contextlib.contextmanager
def serving(folder):
    """Yield a server of the folder, with `address`, `faults` and `requests`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
    server.faults, server.requests = {}, []
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def true_bytes(handler):
    """Bytes of the file that was asked for."""
    return Path(handler.translate_path(handler.path)).read_bytes()


def status(code, **headers):
    """Answer with nothing but a status."""
    return lambda handler: handler.answer(code, **headers)


def once(fault):
    """The first answer is wrong, the next are true."""
    return lambda handler: False if handler.asked_before() else fault(handler)


def body(change, announced=None):
    """Answer 200 with changed bytes; `announced` makes the Content-Length from the true bytes."""

    def fault(handler):
        true = true_bytes(handler)
        handler.answer(200, change(true), announced=announced and announced(true))

    return fault


def redirect(path):
    """Answer 302 to another path of the same server."""
    return lambda handler: handler.answer(302, Location=f"/{path}")


def drip(seconds, pieces=5):
    """True bytes, a few at a time, with a pause of `seconds` before each piece."""

    def fault(handler):
        true = true_bytes(handler)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(true)))
        handler.end_headers()
        step = -(-len(true) // pieces)
        with contextlib.suppress(ConnectionError):
            for first in range(0, len(true), step):
                time.sleep(seconds)
                handler.wfile.write(true[first : first + step])
        handler.close_connection = True

    return fault


def reset(handler):
    """Half of the true bytes, then the connection is reset."""
    true = true_bytes(handler)
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(true)))
    handler.end_headers()
    handler.wfile.write(true[: len(true) // 2])
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True
