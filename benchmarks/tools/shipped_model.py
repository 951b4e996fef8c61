"""What the shipped model of an organism is made with: its genes, and what its card says of its sources.

`python benchmarks/tools/shipped_model.py ORGANISM DATA`, once `config/real_studies_ORGANISM.yaml` has its corpus;
`make models` runs all. Writes results/shipped_ORGANISM/genes.txt and about.json, and models/ORGANISM_small.md.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

import numpy as np
import pandas as pd
import yaml
from scarceseq.corpus.transform import NOT_MEASURED
from scarceseq.files import atomic, read_table, write_json

REPOSITORY = Path(__file__).parents[2]
GENES = 4000
SHOWN = ["ridge@logs", "nearest_centroid@logs", "guided@per_tensor", "mean_rate@per_tensor", "linear_probe"]
# Tables that are in no catalogue.
OTHERS = {
    "SRP081192": ("SRP081192", "recount3, by github.com/ulisesplaper/StunnedMice", "public domain (recount3)"),
    "ucdavis": ("not stated", "ucdavis-bioinformatics-training/2021-June-RNA-Seq-Analysis", "CC0"),
    "weger18": ("Weger 2018", "tgbrooks/dependentsimr", "MIT"),
    "EMTAB2319": ("E-MTAB-2319", "mdozmorov/63_immune_cells", "CC0"),
    "GEUVADIS": ("GEUVADIS", "lpantano/DEGreport", "MIT"),
}
WHAT = (
    "A small model, so that a first run needs no download: {samples} samples of {studies} studies, {genes} genes. "
    "Guided fine-tuning of models of this size was not shown to do better than a ridge regression on plain logarithms "
    "(docs/benchmark/real_studies.md). config/{organism}.yaml trains on all of recount3 instead."
)


def variable_genes(corpus, studies):
    """Ids of the genes that vary most within the training studies, and the number of their samples."""
    samples, genes = read_table(f"{corpus}/samples.parquet"), read_table(f"{corpus}/genes.parquet")
    expression = np.load(f"{corpus}/training.npy", mmap_mode="r")
    total, count = np.zeros(len(genes)), np.zeros(len(genes))
    for study in studies:
        values = np.asarray(expression[np.flatnonzero(samples["study"] == study)], dtype=np.float64)
        there = values[0] != NOT_MEASURED
        total[there] += values[:, there].var(axis=0)
        count += there
    order = np.argsort(-total / np.maximum(count, 1), kind="stable")[:GENES]
    return sorted(genes["gene_id"].iloc[order]), int(samples["study"].isin(studies).sum())


def sources(organism, studies, data):
    """Study, accession, repository, licence and note of each training study."""
    catalogue = pd.read_csv(f"{data}/studies/CATALOGUE.tsv", sep="\t", dtype=str).set_index("study_id")
    labels = pd.read_csv(REPOSITORY / "docs/benchmark/real_studies_labels.tsv", sep="\t", dtype=str)
    folder = labels[labels["organism"] == organism].dropna(subset="study").drop_duplicates("study")
    folder = folder.set_index("study")["source"]
    rows = []
    for study in studies:
        name = folder.get(study, study)
        if name in catalogue.index:
            entry = catalogue.loc[name]
            rows.append((study, entry["accession"], f"{entry['repo']} @ {entry['commit'][:8]}", entry["licence"]))
        else:
            rows.append((study, *OTHERS[name]))
    return pd.DataFrame(rows, columns=["study", "accession", "source", "licence"])


def fold_accuracy(organism):
    """Mean balanced accuracy over series of the models of the folds, by method and samples per class."""
    path = REPOSITORY / "docs/benchmark/real_studies_means.tsv"
    if not path.exists():
        return {}
    table = read_table(path)
    table = table[(table["organism"] == organism) & table["method"].isin(SHOWN)]
    table = table[table["kind"].isin(["biological", "guided"])]
    table = table.assign(labels=table["kind"].map({"biological": "all labels", "guided": "first labels"}))
    return {
        f"{row.labels}, {row.k} per class, {row.method}": float(row.balanced_accuracy) for row in table.itertuples()
    }


def main(organism, data):
    """Write the list of genes and the two descriptions."""
    config = yaml.safe_load((REPOSITORY / f"models/{organism}_small.yaml").read_text())
    roles = config["corpus"]["splits"]["shipped"]["roles"]
    studies = sorted(study for study, role in roles.items() if role == "pretrain")
    genes, samples = variable_genes(f"results/real_studies_{organism}/corpus", studies)
    folder = Path("results") / f"shipped_{organism}"
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(folder / "genes.txt") as path:
        Path(path).write_text("\n".join(genes) + "\n")
    table, accuracy = sources(organism, studies, data), fold_accuracy(organism)
    what = WHAT.format(samples=samples, studies=len(studies), genes=len(genes), organism=organism)
    about = {"what": what, "made_by": "make models DATA=PATH", "sources": table.to_dict("records")}
    about["accuracy_of_the_models_of_the_folds"] = accuracy
    write_json(about, folder / "about.json")
    lines = [f"# models/{organism}_small.zip", "", what, "", "Made by `make models DATA=PATH`.", ""]
    lines += ["| study | accession | source | licence |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in table.itertuples(index=False)]
    lines += ["", "Balanced accuracy with the models of the folds, on series that these never saw:", ""]
    lines += [f"- {name}: {value:.3f}" for name, value in accuracy.items()]
    (REPOSITORY / f"models/{organism}_small.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
