"""How often the checks of samples miss a planted fault, and how often they flag what nobody planted.

`python benchmarks/tools/quality_faults.py DATA docs/benchmark/sample_checks.tsv`: DATA is the folder of real studies
(`studies/` and `bulk/`). Each table of counts is checked as it stands, then with one fault at a time: a tenth of the
reads of one sample (binomial), labels of two samples of opposite sex exchanged, a tenth of the reads of one sample from
another tissue (a sample of another study), one sample given twice with binomial loss.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.own_study.quality import Markers, check_samples, sex_by_genes

LEAST_SAMPLES, LEAST_GENES, DRAWS = 6, 5000, 2


def studies(data):
    """(name, organism, counts, genes, samples, labels) of each table of counts with labels."""
    catalogue = pd.read_csv(data / "studies/CATALOGUE.tsv", sep="\t", dtype=str)
    counted = set(catalogue.loc[catalogue["unit"] == "counts", "study_id"])
    paths = [path for path in sorted(data.glob("studies/*/*/expr.tsv.gz")) if path.parent.name in counted]
    paths += sorted(data.glob("bulk/*/*/counts.tsv.gz"))
    for path in paths:
        if not (path.parent / "samples.tsv").exists():
            continue
        table = pd.read_csv(path, sep="\t", index_col=0, comment="#")
        table = table.select_dtypes("number").dropna()
        labels = pd.read_csv(path.parent / "samples.tsv", sep="\t", dtype=str)
        column = next((name for name in labels.columns if set(table.columns) >= set(labels[name])), None)
        if column is None:
            print(f"{path.parent.name}: samples do not match", file=sys.stderr)
            continue
        labels = labels.drop_duplicates(column).set_index(column)
        counts = np.rint(table[labels.index].to_numpy(float))
        if counts.shape[1] >= LEAST_SAMPLES and len(counts) >= LEAST_GENES and (counts.sum(axis=0) > 0).all():
            label = min(labels.columns, key=lambda name: (labels[name].nunique() < 2, labels[name].nunique()))
            names = pd.DataFrame({"gene_id": table.index.astype(str), "gene_name": table.index.astype(str)})
            samples = pd.DataFrame({"sample": labels.index, "label": labels[label].fillna("none").to_numpy()})
            yield path.parent.name, path.parents[1].name, counts, names, samples, labels.reset_index(drop=True)


def faults(counts, genes, organism, samples, donors, generator):
    """(kind, counts, labels, flagged words, places) of each planted fault."""
    place = int(generator.integers(counts.shape[1]))
    few = counts.copy()
    few[:, place] = generator.binomial(counts[:, place].astype(np.int64), 0.1)
    yield "a tenth of the reads", few, None, "reads", [place]
    sex = sex_by_genes(counts, Markers.of(genes, organism))
    women, men = np.flatnonzero(sex == "female"), np.flatnonzero(sex == "male")
    if len(women) and len(men):
        declared = sex.copy()
        swapped = [int(generator.choice(women)), int(generator.choice(men))]
        declared[swapped] = declared[swapped[::-1]]
        declared[declared == "cannot be told"] = ""
        yield "sexes exchanged", counts, pd.DataFrame({"sex": declared}), "declared", swapped
    for tissue, donor in donors.items():
        mixed = counts.copy()
        shared = genes["gene_id"].isin(donor.index).to_numpy()
        if shared.sum() > LEAST_GENES:
            other = donor.reindex(genes["gene_id"]).fillna(0).to_numpy()
            mixed[:, place] = generator.poisson(
                0.9 * counts[:, place] + 0.1 * other * counts[:, place].sum() / other.sum()
            )
            yield f"a tenth of {tissue}", mixed, None, f"{tissue} markers", [place]
    twice = counts.copy()
    other = (place + 1) % counts.shape[1]
    twice[:, other] = generator.binomial(counts[:, place].astype(np.int64), 0.8)
    yield "one library twice", twice, None, "of the library|copy", [place, other]


def donors_of(tables):
    """A liver and a cerebellum of the real tables, by organism and kind of gene id."""
    wanted = {"liver": "weger18_liver_circadian", "cerebellum": "GSE96870_cerebellum_influenza"}
    return {
        tissue: pd.Series(table[2][:, 0], index=table[3]["gene_id"]).groupby(level=0).sum()
        for tissue, name in wanted.items()
        for table in tables
        if table[0] == name
    }


def main(data, target):
    tables = list(studies(Path(data)))
    donors, rows = donors_of(tables), []
    for name, organism, counts, genes, samples, labels in tables:
        plain, notes = check_samples(counts, genes, organism, samples, labels)
        for words in (
            "reads",
            "few genes",
            "mitochondrial",
            "few genes take",
            "unlike",
            "declared",
            "markers",
            "librar",
        ):
            hits = plain["flags"].str.contains(words).sum()
            rows.append({"study": name, "fault": "none", "check": words, "samples": len(plain), "flagged": hits})
        rows.append(
            {
                "study": name,
                "fault": "none",
                "check": "any",
                "samples": len(plain),
                "flagged": (plain["flags"] != "").sum(),
            }
        )
        print(
            name,
            len(plain),
            plain.loc[plain["flags"] != "", ["sample", "flags"]].to_string(),
            [note["text"] for note in notes],
        )
        generator = np.random.default_rng(1)
        for _ in range(DRAWS):
            for kind, changed, declared, words, places in faults(counts, genes, organism, samples, donors, generator):
                table, _ = check_samples(changed, genes, organism, samples, labels if declared is None else declared)
                hits = table["flags"].iloc[places].str.contains(words).sum()
                rows.append({"study": name, "fault": kind, "check": words, "samples": len(places), "flagged": hits})
    table = pd.DataFrame(rows).groupby(["fault", "check"], sort=False)[["samples", "flagged"]].sum()
    table["studies"] = pd.DataFrame(rows).groupby(["fault", "check"], sort=False)["study"].nunique()
    table["share"] = (table["flagged"] / table["samples"]).round(4)
    table.reset_index().to_csv(target, sep="\t", index=False)
    print(table.to_string())


if __name__ == "__main__":
    main(*sys.argv[1:])
