"""An intermediate file of the right size and date with wrong content stops the step that reads it, and is named."""

import os
import shutil

import pytest
from helpers import snakemake
from test_workflow_kills import TINY

RESULTS = "results/tiny"
# File that is damaged, rule that wrote it, rule that reads it, what that rule makes.
READ_BY = [
    ("corpus/training.npy", "merge_corpus", "pretrain", "pretrain/mlp/model.safetensors"),
    ("pretrain/mlp/model.safetensors", "pretrain", "embed_genes", "pretrain/mlp/genes.parquet"),
    ("corpus/shards/batch_0.h5ad", "build_shard", "merge_corpus", "corpus/training.npy"),
    ("archive/batches/batch_0/manifest.jsonl", "fetch_batch", "build_shard", "corpus/shards/batch_0.h5ad"),
    ("screen/demo/cells.h5ad", "normalise_cells", "prepare_screen", "screen/demo/pseudobulk.h5ad"),
    (
        "screen/demo/pseudobulk.h5ad",
        "prepare_screen",
        "calibrate_metrics",
        "perturbation/demo/calibration.parquet",
    ),
    ("corpus/splits.tsv", "split_studies", "plan_episodes", "fewshot/episodes/tissue/2way_1shot.parquet"),
]


def zeroed(content):
    """The last third as zeros, as a disk that lost blocks gives them back."""
    return content[: len(content) * 2 // 3] + bytes(len(content) - len(content) * 2 // 3)


def flipped(content):
    """One bit of the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [zeroed, flipped])
@pytest.mark.parametrize(
    ("name", "writer", "reader", "target"),
    [
        pytest.param(*case, marks=[pytest.mark.slow] if place > 1 else [], id=case[0])
        for place, case in enumerate(READ_BY)
    ],
)
def test_a_damaged_intermediate_is_named_with_its_rule(finished_run, tmp_path, name, writer, reader, target, damage):
    folder = tmp_path / "scarceseq"
    shutil.copytree(finished_run, folder, symlinks=True)
    path = folder / RESULTS / name
    content, stat = path.read_bytes(), path.stat()
    path.write_bytes(damage(content))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    done = snakemake(folder, "--cores", "2", f"{RESULTS}/{target}", "--forcerun", reader, *TINY, check=False)
    assert done.returncode != 0
    assert f"{RESULTS}/{name}: damaged since it was written" in done.stdout
    assert f"delete it and run again: rule {writer} makes it anew" in done.stdout
    assert not (folder / RESULTS / target).exists()
