"""Memory of the steps that see the whole training matrix, at all of mouse: 190,111 samples of 21,925 genes.

Bar: 12 GB of anonymous memory for each step of `config/mouse.yaml` that reads the matrix as a whole: pre-training with
its evaluation (few steps, and few samples of each held-out study: they go through in blocks), the embedding, the
comparison of embeddings, the plan of the scouts. Measured at two sizes, by a line through both at all of mouse. Pages
of the mapped matrix are not counted, since the kernel takes them back when others need them; the peak with them is
printed beside. Each step runs in a process of its own, on a corpus with studies, tissues and noise; half of it is held
out, so that the largest number of labelled samples that are compared is reached. The embedding must be that of a plain
pass in float64.
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

import numpy as np
import pandas as pd
import torch
import yaml
from scarceseq import device, files, runtime, seals
from scarceseq.guide.plan import plan_scouts
from scarceseq.guide.settings import SchemeSettings
from scarceseq.pretrain import worker
from scarceseq.pretrain.comparison.classification import score_representations
from scarceseq.pretrain.embedding import embed_rows
from scarceseq.pretrain.model import load_base
from scarceseq.pretrain.samples import read_matrix
from scarceseq.pretrain.settings import ComparisonSettings, ComparisonTask

BAR_GB = 12
MOUSE_SAMPLES, MOUSE_GENES = 190_111, 21_925
STUDY_SAMPLES = 34
ROLES = {"pretrain": 0.4, "scout": 0.1, "validation": 0.25, "test": 0.25}
CONFIG = yaml.safe_load((Path(__file__).parents[1] / "config/mouse.yaml").read_text())
STEPS = 4
EVALUATED = 1
BLOCK = 2048
CORPUS = ("training.npy", "samples.parquet", "genes.parquet", "splits.tsv")
# float32 against float64, relative to the largest value of the embedding.
TOLERANCE = 1e-4


def make_corpus(folder: Path, samples: int, genes: int) -> None:
    """A corpus of `samples` rows: tissue, study and noise, in the format and with the checksum of the real one."""
    random = np.random.default_rng(1)
    tissues = CONFIG["pretrain"]["comparison"]["tasks"]["tissue"]["classes"]
    studies = np.arange(samples) // STUDY_SAMPLES
    mean = random.gamma(1.0, 3.0, genes).astype(np.float32)
    of_tissue = random.normal(0, 0.7, (len(tissues), genes)).astype(np.float32)
    noise = random.normal(0, 0.5, (2 * BLOCK, genes)).astype(np.float32)
    tissue = (studies + random.integers(0, 3, samples)) % len(tissues)
    training = np.lib.format.open_memmap(folder / CORPUS[0], mode="w+", dtype="<f2", shape=(samples, genes))
    for start in range(0, samples, BLOCK):
        rows = np.arange(start, min(start + BLOCK, samples))
        values = mean + of_tissue[tissue[rows]] + noise[random.integers(len(noise), size=len(rows))]
        values += 0.3 * noise[studies[rows] % len(noise)]
        training[rows] = np.maximum(values, 0)
    training.flush()
    del training
    seals.write_seal(folder / CORPUS[0])
    names, of_study = [f"X{row}" for row in range(samples)], [f"S{study}" for study in studies]
    table = pd.DataFrame({"sample": names, "study": of_study, "organism": "mouse", "unit": "base_coverage"})
    files.write_table(table.assign(average_mapped_length=150.0, rate_sum=2e7), folder / CORPUS[1])
    ids = [f"ENSMUSG{gene:011d}" for gene in range(genes)]
    files.write_table(pd.DataFrame({"gene_id": ids, "gene_name": ids, "bp_length": 1000}), folder / CORPUS[2])
    roles = random.choice(list(ROLES), p=list(ROLES.values()), size=studies[-1] + 1)
    splits = pd.DataFrame({"split": "default", "study": list(dict.fromkeys(of_study)), "role": roles})
    files.write_table(splits, folder / CORPUS[3])
    values = [tissues[one] for one in tissue]
    files.write_table(
        pd.DataFrame({"sample": names, "key": "tissue_term", "value": values}), folder / "attributes.parquet"
    )


def matrix_of(folder, keys=()):
    """The corpus as the scripts read it."""
    return read_matrix(*(str(folder / name) for name in CORPUS), "default", str(folder / "attributes.parquet"), keys)


def base_of(folder):
    """The base model that `pretrain` wrote."""
    return load_base(folder / "model.safetensors", folder / "model.json", device.choose("cpu"))


def pretrain(folder, threads):
    """Few steps of training, and the evaluation, as the rule does them."""
    settings = CONFIG["pretrain"]["bases"]["mlp"] | {"steps": STEPS, "warm_up_steps": 2, "validate_every_steps": STEPS}
    settings = {key: value for key, value in settings.items() if key != "threads"} | {"checkpoint_every_steps": STEPS}
    settings["evaluation_samples"] = EVALUATED
    names = ("training", "samples", "genes", "splits")
    source = dict(zip(names, (str(folder / name) for name in CORPUS), strict=True))
    source["attributes"] = str(folder / "attributes.parquet")
    output = {"model": "model.safetensors", "information": "model.json"}
    output |= {"history": "history.parquet", "evaluation": "evaluation.tsv"}
    worker.launch(
        {
            "input": source,
            "output": {name: str(folder / file) for name, file in output.items()},
            "settings": settings,
            "seed": 1,
            "device": "cpu",
            "code": "benchmark",
            "threads": threads,
            "log": str(folder / "pretrain.log"),
        }
    )
    return True


def embed(folder, threads):
    """The embedding of all samples; whether some rows are those of a plain pass in float64."""
    base, matrix = base_of(folder), matrix_of(folder)
    embedding = embed_rows(base, matrix.expression)
    rows = np.random.default_rng(2).choice(len(embedding), 64, replace=False)
    plain = base.network.double()
    with torch.no_grad():
        mean, scale = base.mean.double(), base.scale.double()
        values = (torch.from_numpy(matrix.expression[np.sort(rows)].astype(np.float64)) - mean) / scale
        expected = plain.eval().embed(values).numpy()
    return bool(np.abs(embedding[np.sort(rows)] - expected).max() <= TOLERANCE * np.abs(expected).max())


def compare(folder, threads):
    """The comparison of embeddings; whether each method was scored."""
    task = ComparisonTask(**CONFIG["pretrain"]["comparison"]["tasks"]["tissue"])
    base, matrix = base_of(folder), matrix_of(folder, [task.label])
    settings = ComparisonSettings(repeats=1)  # a repeat frees what the one before held
    scores, _ = score_representations(matrix, {1: base}, task, settings, 1)
    return set(scores["method"]) >= {"embedding", "principal_components", "genes", "random_encoder"}


def plan(folder, threads):
    """The plan of the scouts; whether each has its samples."""
    settings = SchemeSettings(**CONFIG["guide"]["schemes"]["cluster_pairs"])
    attributes = files.read_table(folder / "attributes.parquet")
    scouts = plan_scouts(matrix_of(folder), attributes, base_of(folder), settings, 1)
    return bool((scouts.groupby("scout")["label"].nunique() == 2).all() and scouts["scout"].nunique() >= 3)


STAGES = {"pretrain": pretrain, "embed": embed, "compare_embeddings": compare, "plan_scouts": plan}


def watched(stage, folder, threads, answers):
    """Run a stage here; answer: its result, anonymous and whole peak in GB, and seconds."""
    peak, ended = [0.0], threading.Event()

    def look():
        while not ended.wait(0.02):
            status = Path("/proc/self/status").read_text()
            peak[0] = max(peak[0], int(status.split("RssAnon:")[1].split()[0]) * 1024 / 1e9)

    threading.Thread(target=look, daemon=True).start()
    runtime.keep_freed_memory()
    torch.set_num_threads(threads)
    begin = time.process_time()
    right = STAGES[stage](folder, threads)
    seconds = time.process_time() - begin
    ended.set()
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    answers.put((right, peak[0], whole, seconds))


def measure(samples, genes, threads, parent):
    """What each stage took on a corpus of one size: (right, gb, gb_with_files, cpu_s)."""
    start, rows = multiprocessing.get_context("spawn"), {}
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        make_corpus(folder, samples, genes)
        for stage in STAGES:
            answers = start.Queue()
            process = start.Process(target=watched, args=(stage, folder, threads, answers))
            process.start()
            process.join()
            rows[stage] = answers.get(timeout=1)
            right, anonymous, whole, seconds = rows[stage]
            text = f"{anonymous:.2f} GB, with mapped files {whole:.2f} GB, {seconds:.0f} s, right: {right}"
            print(f"{samples} samples, {stage}: {text}", flush=True)
    return rows


def main():
    """Measure, print a table and the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="of 500 genes; no memory is claimed")
    parser.add_argument("--samples", type=int, nargs=2, default=[10_000, 20_000], metavar=("SMALL", "LARGE"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=Path, help="where the corpora are made: 44 kB a sample")
    arguments = parser.parse_args()
    if arguments.folder:
        arguments.folder.mkdir(parents=True, exist_ok=True)
    small, large = [400, 800] if arguments.quick else sorted(arguments.samples)
    genes = 500 if arguments.quick else MOUSE_GENES
    measured = {samples: measure(samples, genes, arguments.threads, arguments.folder) for samples in (small, large)}
    at_all = {}
    for stage in STAGES:
        one, other = (measured[samples][stage][1] for samples in (small, large))
        at_all[stage] = other + max(other - one, 0) / (large - small) * (MOUSE_SAMPLES - large)
        print(f"all of mouse, {stage}: {at_all[stage]:.1f} GB")
    worst = max(at_all.values())
    names = ("gb", "gb_with_files", "cpu_s")
    detail = {
        str(samples): {stage: dict(zip(names, row[1:], strict=True)) for stage, row in rows.items()}
        for samples, rows in measured.items()
    }
    detail |= {"genes": genes, "all_of_mouse_gb": at_all, "worst_gb": worst, "bar_gb": BAR_GB}
    same = all(row[0] for rows in measured.values() for row in rows.values())
    result = {"name": "memory", "ratio": BAR_GB / worst, "target": 1, "equal": same, "device": "cpu", "detail": detail}
    print(json.dumps(result))
    return 0 if result["ratio"] >= 1 and same else 1


if __name__ == "__main__":
    sys.exit(main())
