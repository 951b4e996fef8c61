"""A generated mirror of full-size files for `../archive.py`, and a server for it."""

import contextlib
import multiprocessing
import os
import zlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numba
import numpy as np
import pandas as pd
from scarceseq.archive.layout import Study, annotation_path, study_path

GENES = 55_421
LARGEST = 2_447_935_369  # sum that the archive is known to hold
SHARED_DATA = Path(os.environ.get("SCARCESEQ_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
INVENTORY = SHARED_DATA / "bulk" / "recount3_inventory" / "mouse_samples_from_ucsc_hubs.tsv.gz"
# Runs per study of the mouse inventory (10,087 studies) at these shares, for where the inventory is not at hand.
SHARES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1)
SIZES = (1, 1, 2, 4, 6, 10, 20, 47, 94, 599, 2684, 12284)
COLUMNS = {"source": 43, "recount_qc": 112, "recount_pred": 10, "recount_seq_qc": 15}
QUALITY = {
    "bc_auc.all_reads_all_bases": "4012345678",
    "star.all_mapped_reads": "31234567",
    "star.average_mapped_length": "148.31",
}


def study_sizes(studies):
    """Runs of each study: evenly spaced quantiles of the inventory, in mixed order."""
    shares = (np.arange(studies) + 0.5) / studies
    if INVENTORY.exists():
        sizes = np.quantile(pd.read_csv(INVENTORY, sep="\t")["project"].value_counts(), shares)
    else:
        sizes = np.exp(np.interp(shares, SHARES, np.log(SIZES)))
    return np.random.default_rng(5).permutation(np.maximum(np.rint(sizes), 1).astype(int)).tolist()


def write_mirror(folder, sizes, annotation, giant_runs=0, processes=1):
    """Write studies of these sizes and, last, one of very many sparse runs if any are wanted; [(project, runs)]."""
    generator = np.random.default_rng(7)
    gene_ids = [f"ENSMUSG{index:011d}.{index % 9 + 1}" for index in range(GENES)]
    compress(folder / annotation_path("mouse", annotation), annotation_lines(gene_ids))
    # A third of the genes is never expressed in a tissue; the rest spans seven powers of ten.
    level = np.where(generator.random(GENES) < 0.36, -9, generator.normal(8.2, 3.0, GENES)).astype(np.float32)
    studies, number = [], 0
    for index, size in enumerate([*sizes, giant_runs] if giant_runs else sizes):
        studies.append((f"SRP{index:06d}", [f"SRR{number + run:08d}" for run in range(size)]))
        number += size
    tasks = [
        (folder, Study("mouse", "sra", project), runs, annotation, gene_ids, level - 7 * (index == len(sizes)), index)
        for index, (project, runs) in enumerate(studies)
    ]
    if processes == 1:
        for task in tasks:
            _write_study(*task)
    else:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            pool.starmap(_write_study, tasks, chunksize=1)
    return studies


def annotation_lines(gene_ids):
    """GTF lines of genes."""
    for index, gene in enumerate(gene_ids):
        kind = "protein_coding" if index % 5 < 2 else "lncRNA"
        notes = f'gene_id "{gene}"; gene_type "{kind}"; gene_name "Gene{index}";'
        yield f"chr1\tHAVANA\tgene\t{index}\t{index + 999}\t{200 + index % 3000}\t+\t.\t{notes}\n".encode()


def _write_study(folder, study, runs, annotation, gene_ids, level, seed):
    generator = np.random.default_rng((7, seed))
    order = generator.permutation(len(runs))
    header = "\t".join(["gene_id", *(runs[position] for position in order)])
    lines = gene_sums_text(gene_ids, level, len(runs), generator)
    head = f"##annotation={annotation}\n##date.generated=2020-05-12 01:01:49.411644\n{header}\n"
    compress(folder / study_path(study, "gene_sums", annotation), [head.encode()], lines)
    for kind, columns in COLUMNS.items():
        compress(folder / study_path(study, kind, annotation), metadata_lines(kind, columns, runs, study.project))


def gene_sums_text(gene_ids, level, runs, generator):
    """Rows of gene sums as bytes, a few megabytes at a time."""
    step = max(1, 2_000_000 // runs)
    names = np.frombuffer("".join(gene_ids).encode(), dtype=np.uint8).reshape(GENES, -1)
    for first in range(0, GENES, step):
        part = level[first : first + step, None]
        values = generator.standard_normal((len(part), runs), dtype=np.float32)
        values *= np.float32(0.9)
        values += part
        np.minimum(np.exp(values, out=values), LARGEST, out=values)
        text = np.empty(values.size * 12 + len(part) * 32, dtype=np.uint8)
        yield text[: format_rows(names[first : first + step], values, text)].tobytes()


@numba.njit(cache=True)
def format_rows(names, values, text):
    """Write rows of an identifier and numbers, rounded down, as text; the number of bytes."""
    position = 0
    digits = np.empty(20, dtype=np.uint8)
    for row in range(len(names)):
        for letter in names[row]:
            if letter:  # shorter names end with zeros
                text[position] = letter
                position += 1
        for value in values[row]:
            text[position] = 9
            position += 1
            rest, length = np.int64(value), 0
            while rest or not length:
                digits[length] = 48 + rest % 10
                rest //= 10
                length += 1
            for index in range(length - 1, -1, -1):
                text[position] = digits[index]
                position += 1
        text[position] = 10
        position += 1
    return position


def metadata_lines(kind, columns, runs, project):
    """One metadata table with the archive's number of columns."""
    names = ["rail_id", "external_id", "study"]
    names += {"source": ["experiment_acc"], "recount_qc": list(QUALITY)}.get(kind, [])
    names += [f"column_{index}" for index in range(len(names), columns)]
    yield ("\t".join(names) + "\n").encode()
    for index, run in enumerate(runs):
        row = [str(index), run, project]
        row += {"source": [run.replace("SRR", "SRX")], "recount_qc": list(QUALITY.values())}.get(kind, [])
        row += ["NA" if column % 4 else f"{column * 1.37:.2f}" for column in range(len(row), columns)]
        yield ("\t".join(row) + "\n").encode()


def compress(path, *parts):
    """Compress as the archive does: gzip at level 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    with open(path, "wb") as handle:
        for part in parts:
            for piece in part:
                handle.write(packer.compress(piece))
        handle.write(packer.flush())


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder over kept connections."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        """Say nothing."""


def _serve(folder, port, queue):
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=folder))
    queue.put(server.server_port)
    server.serve_forever()


@contextlib.contextmanager
def serve(folder, port=0):
    """Yield the address of a server of the folder, in a process of its own; at any free port if none is given."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_serve, args=(folder, port, queue), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{queue.get(timeout=60)}"
    finally:
        process.terminate()
        process.join()
