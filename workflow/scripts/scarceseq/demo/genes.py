"""The genes of the small world: names, types, places and lengths."""

import numpy as np
import pandas as pd

from scarceseq.demo.settings import DemoSettings
from scarceseq.seeds import derive

# The one mouse gene whose sums recount3 never corrected after its recount of February 2022.
INFLATED_GENE = "ENSMUSG00000074994.5"

# share; mean and sd of log2 exonic length; mean and sd of log2(genomic / exonic width): as in the mouse annotation M23
GENE_TYPES = {
    "protein_coding": (0.85, 11.7, 1.1, 2.3, 1.3),
    "lncRNA": (0.09, 10.1, 1.1, 2.4, 1.6),
    "processed_pseudogene": (0.04, 9.1, 0.9, 0.0, 0.0),
    "TEC": (0.02, 10.8, 0.9, 0.0, 0.0),
}
CHROMOSOMES = [f"chr{name}" for name in sorted([*map(str, range(1, 20)), "X", "Y"])]
CONSONANTS, VOWELS = "bcdfghklmnprstvz", "aeiou"


def _symbols(count: int, generator: np.random.Generator) -> list[str]:
    """`count` distinct invented gene symbols such as ``Rabo3``."""
    symbols: dict[str, None] = {}
    while len(symbols) < count:
        first, third = generator.integers(len(CONSONANTS), size=2)
        second, fourth = generator.integers(len(VOWELS), size=2)
        symbol = f"{CONSONANTS[first].upper()}{VOWELS[second]}{CONSONANTS[third]}{VOWELS[fourth]}"
        symbols[f"{symbol}{generator.integers(1, 10)}"] = None
    return list(symbols)


def make_genes(settings: DemoSettings, seed: int) -> pd.DataFrame:
    """Draw the genes, in the order of the annotation file (by chromosome and start).

    Columns: gene_id, gene_name, gene_type, bp_length (exonic bases), chromosome, start, end (1-based, inclusive),
    strand. Ids are invented, outside the range of Ensembl's mouse genes, except `INFLATED_GENE`.
    """
    generator = np.random.default_rng(derive(seed, "demo", "genes"))
    count = settings.genes
    shares = np.array([values[0] for values in GENE_TYPES.values()])
    kinds = np.array(list(GENE_TYPES))[np.searchsorted(np.cumsum(shares), (np.arange(count) + 0.5) / count)]
    generator.shuffle(kinds)
    parameters = pd.DataFrame(GENE_TYPES, index=["share", "mean", "sd", "ratio", "ratio_sd"]).T.loc[kinds]
    exonic = 2.0 ** generator.normal(parameters["mean"], parameters["sd"])
    exonic = np.clip(np.rint(exonic), 150, 60000).astype(np.int64)
    ratio = np.maximum(generator.normal(parameters["ratio"], parameters["ratio_sd"]), 0)
    width = np.rint(exonic * 2.0**ratio).astype(np.int64)
    chromosome = generator.choice(len(CHROMOSOMES), size=count)
    start = generator.integers(3_000_000, 150_000_000, size=count)
    order = np.lexsort((start, chromosome))
    stems = 900_001 + generator.choice(10 * count, size=count, replace=False)
    versions = generator.integers(1, 16, size=count)
    ids = [f"ENSMUSG{stem:011d}.{version}" for stem, version in zip(stems, versions, strict=True)]
    genes = pd.DataFrame(
        {
            "gene_id": ids,
            "gene_name": _symbols(count, generator),
            "gene_type": kinds,
            "bp_length": exonic,
            "chromosome": np.array(CHROMOSOMES)[chromosome],
            "start": start,
            "end": start + width - 1,
            "strand": generator.choice(["+", "-"], size=count),
        }
    )
    genes = genes.iloc[order].reset_index(drop=True)
    coding = np.flatnonzero(genes["gene_type"] == "protein_coding")
    genes.loc[coding[len(coding) // 2], "gene_id"] = INFLATED_GENE
    return genes
