"""The corpus on disk. Oracles: the whole corpus computed at once in memory; anndata's own writer."""

import subprocess
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scarceseq
from scarceseq.archive.counts import CountsFile, write_counts
from scarceseq.corpus import merge, store
from scarceseq.corpus.transform import tpm

GENES = 30


def gene_table(generator):
    names = [f"g{number}.1" for number in range(GENES)]
    types = generator.choice(["protein_coding", "lncRNA"], GENES)
    lengths = generator.integers(100, 5000, GENES)
    return pd.DataFrame({"gene_name": names, "gene_type": types, "bp_length": lengths}, index=names)


def random_part(generator, genes, studies, user=False):
    """Samples of some studies; a user's study has its own order of genes and does not measure all."""
    rows = [
        (study, f"{study}_{number}") for study in studies for number in generator.permutation(generator.integers(9))
    ]
    samples = pd.DataFrame(rows, columns=["study", "sample"]).set_index("sample")
    samples = samples.assign(organism="mouse", source="user" if user else "sra", unit="base_coverage")
    samples = samples.assign(runs=[f"{name}_r1,{name}_r2" for name in samples.index], auc=1.0)
    samples = samples.assign(average_mapped_length=100.0)
    counts = generator.poisson(2.0, (len(rows), GENES)) * generator.integers(1, 2**40, (len(rows), GENES))
    genes = genes.assign(measured=generator.random(GENES) < 0.9 if user else True)
    order = generator.permutation(GENES) if user else np.arange(GENES)
    return anndata.AnnData(counts[:, order], obs=samples.astype({"study": str, "runs": str}), var=genes.iloc[order])


@pytest.fixture(params=range(4))
def parts(request):
    """Three batches of interleaved studies and a user's study, with copies and empty samples."""
    generator = np.random.default_rng(request.param)
    genes, studies = gene_table(generator), [f"SRP{number:02d}" for number in generator.permutation(12)]
    made = [random_part(generator, genes, studies[start::3]) for start in range(3)]
    made.append(random_part(generator, genes, ["mine", "yours"], user=True))
    made[1].X[0] = made[0].X[-1]
    made[2].X[1] = 0
    made[2].obs_names = [made[0].obs_names[0], *made[2].obs_names[1:]]
    return made


def merged_at_once(parts):
    """(kept samples, counts, training matrix, reasons): everything in memory, pair by pair."""
    ids = parts[0].var_names
    tables = [part[:, ids] for part in parts]
    shared = np.all([table.var["measured"] for table in tables if table.n_obs], axis=0)
    chosen = shared & (parts[0].var["gene_type"] == "protein_coding").to_numpy()
    lengths = parts[0].var["bp_length"].to_numpy()[shared]
    rows = [(row.study, name, table.X[i]) for table in tables for i, (name, row) in enumerate(table.obs.iterrows())]
    rows.sort(key=lambda row: row[:2])
    kept, reasons = [], []
    for study, name, counts in rows:
        same = [other for _, other, before in kept if np.array_equal(before[shared], counts[shared])]
        if not counts[shared].any():
            reasons.append((study, "all_zero_in_shared_genes", None))
        elif same:
            reasons.append((study, "duplicate_content", same[0]))
        elif name in [other for _, other, _ in kept]:
            reasons.append((study, "duplicate_sample", name))
        else:
            kept.append((study, name, counts))
    counts = np.array([row[2] for row in kept])
    training = np.log2(tpm(counts[:, shared], lengths) + 1).astype(np.float16)[:, chosen[shared]]
    return [row[:2] for row in kept], counts, training, reasons


@pytest.mark.parametrize("rows_at_once", [1, 4, 1000])
def test_streamed_corpus_is_the_corpus_computed_at_once(parts, rows_at_once, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BLOCK_BYTES", 8 * GENES * rows_at_once)
    samples, counts, training, reasons = merged_at_once(parts)
    paths = [tmp_path / f"part{number}.h5ad" for number in range(len(parts))]
    for part, path in zip(parts, paths, strict=True):
        write_counts(part.X, part.obs, part.var, path)
    corpus = merge.merge(paths, [], ["protein_coding"])
    store.write_corpus(corpus, tmp_path / "corpus.h5ad", tmp_path / "training.npy")

    back = anndata.read_h5ad(tmp_path / "corpus.h5ad")
    assert list(zip(back.obs["study"], back.obs_names, strict=True)) == samples
    assert np.array_equal(back.X, counts)
    assert back.X.dtype == np.int64
    assert np.array_equal(np.load(tmp_path / "training.npy"), training)
    lost = corpus.dropped.iloc[::2]  # each sample has two runs
    assert sorted(lost[["study", "reason"]].itertuples(index=False, name=None)) == sorted(row[:2] for row in reasons)
    assert {"all_zero_in_shared_genes", "duplicate_content", "duplicate_sample"} >= {row[1] for row in reasons} != set()
    shared = corpus.genes["shared"].to_numpy()
    assert corpus.figures["library_size"].tolist() == counts[:, shared].sum(axis=1).tolist()
    assert corpus.figures["genes_detected"].tolist() == (counts[:, shared] > 0).sum(axis=1).tolist()


def test_stored_values_are_off_by_the_rounding_of_half_precision_at_most(tmp_path):
    """11 significant bits: half a unit of the last is 2**-11 of the value; numbers below 2**-14 lie 2**-24 apart."""
    generator = np.random.default_rng(4)
    genes = gene_table(generator)
    columns = {"study": "S", "runs": "r", "unit": "x", "average_mapped_length": 100.0}
    samples = pd.DataFrame(columns, index=[f"s{row}" for row in range(40)])
    counts = (10 ** generator.uniform(0, 14, (40, GENES))).astype(np.int64)
    write_counts(counts, samples.assign(organism="m", source="s"), genes.assign(measured=True), tmp_path / "part.h5ad")
    corpus = merge.merge([tmp_path / "part.h5ad"], [], [])
    store.write_corpus(corpus, tmp_path / "corpus.h5ad", tmp_path / "training.npy")
    order = [int(name[1:]) for name in corpus.samples.index]
    exact = np.log2(tpm(counts[order], genes["bp_length"]) + 1)
    error = np.abs(np.load(tmp_path / "training.npy").astype(np.float64) - exact)
    bound = np.maximum(2.0**-11 * exact, 2.0**-25)
    assert (error <= bound).all()
    assert (error > 0.9 * bound).any(), "the bound is no wider than the format needs"
    assert exact.min() < 2.0**-14 < 16 < exact.max()


def tree(path):
    """Names, attributes and stored values of an HDF5 file, but for the layout of X."""
    found = {}
    with h5py.File(path) as handle:
        found["/"] = dict(handle.attrs)

        def visit(name, item):
            values = item[()].tolist() if isinstance(item, h5py.Dataset) else None
            found[name] = (
                {key: np.asarray(value).tolist() for key, value in item.attrs.items()},
                values,
                str(getattr(item, "dtype", "")),
            )

        handle.visititems(visit)
    return found


def test_file_has_what_anndatas_own_writer_writes(tmp_path):
    generator = np.random.default_rng(1)
    part = random_part(generator, gene_table(generator), ["SRP1", "SRP2"])
    write_counts(part.X, part.obs, part.var, tmp_path / "ours.h5ad")
    anndata.read_h5ad(tmp_path / "ours.h5ad").write_h5ad(tmp_path / "theirs.h5ad")
    assert tree(tmp_path / "ours.h5ad") == tree(tmp_path / "theirs.h5ad")


def test_a_row_is_read_alone_without_the_rest(tmp_path):
    generator = np.random.default_rng(1)
    part = random_part(generator, gene_table(generator), ["SRP1", "SRP2"])
    write_counts(part.X, part.obs, part.var, tmp_path / "ours.h5ad")
    backed = anndata.read_h5ad(tmp_path / "ours.h5ad", backed="r")
    assert backed.X.chunks == (1, GENES)
    assert np.array_equal(backed[3].X.ravel(), part.X[3])
    backed.file.close()


def test_file_without_samples_is_read_back(tmp_path):
    generator = np.random.default_rng(1)
    part = random_part(generator, gene_table(generator), ["SRP1"])[:0]
    write_counts(part.X, part.obs, part.var, tmp_path / "empty.h5ad")
    assert anndata.read_h5ad(tmp_path / "empty.h5ad").shape == (0, GENES)
    assert len(CountsFile(tmp_path / "empty.h5ad").read_samples()) == 0


def test_a_write_that_fails_leaves_no_file(tmp_path):
    generator = np.random.default_rng(1)
    part = random_part(generator, gene_table(generator), ["SRP1", "SRP2"])
    with pytest.raises(TypeError):
        write_counts(part.X[:, :3], part.obs, part.var, tmp_path / "wrong.h5ad")
    assert list(tmp_path.iterdir()) == []


def test_rows_are_cut_where_part_or_sequence_breaks_and_at_the_limit():
    parts, rows = np.array([0, 0, 0, 1, 1, 0, 0]), np.array([4, 5, 6, 7, 9, 7, 8])
    assert list(store.runs_of_rows(parts, rows, 2)) == [
        (0, 4, 0, 2),
        (0, 6, 2, 1),
        (1, 7, 3, 1),
        (1, 9, 4, 1),
        (0, 7, 5, 2),
    ]


PEAK = """
import resource, sys
import numpy as np, pandas as pd
from pathlib import Path
from scarceseq.archive.counts import create_counts
from scarceseq.corpus import merge, store

folder, rows, genes, step = Path(sys.argv[1]), int(sys.argv[2]), 4000, 50
store.BLOCK_BYTES = 2**20
names = [f"g{n}" for n in range(genes)]
table = pd.DataFrame({"gene_name": names, "gene_type": "x", "bp_length": 100, "measured": True}, index=names)
generator = np.random.default_rng(0)
for part in range(2):
    samples = pd.DataFrame({"study": [f"S{n % 7}" for n in range(rows)], "runs": "r", "unit": "base_coverage"},
                           index=[f"{part}_{n}" for n in range(rows)]).assign(organism="mouse", source="sra")
    samples["average_mapped_length"] = 100.0
    with create_counts(samples, table, folder / f"{part}.h5ad") as matrix:
        for start in range(0, rows, step):
            levels = 2 ** generator.integers(0, 20, (step, genes))  # no two samples are alike
            matrix[start:start + step] = generator.integers(0, 9, (step, genes)) * levels
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
corpus = merge.merge([folder / f"{part}.h5ad" for part in range(2)], [], [])
store.write_corpus(corpus, folder / "corpus.h5ad", folder / "training.npy")
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_peak_memory_does_not_grow_with_the_number_of_samples(tmp_path):
    """Six times the samples add 64 MB of counts to the corpus, and less than an eighth of that to the peak."""
    peaks = []
    for rows in (200, 1200):
        folder = tmp_path / str(rows)
        folder.mkdir()
        command = [sys.executable, "-c", PEAK, str(folder), str(rows)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=Path(scarceseq.__file__).parents[1]
        )
        peaks.append(int(done.stdout.split()[1]) * 1024)
    assert peaks[1] - peaks[0] < 2 * 1000 * 4000 * 8 / 8
