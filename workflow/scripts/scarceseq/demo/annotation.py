"""A noisy annotation of the genes, in the manner of the Gene Ontology, made from the programmes."""

import numpy as np
import pandas as pd

from scarceseq.demo.programmes import World
from scarceseq.demo.settings import DemoSettings
from scarceseq.seeds import derive

SPURIOUS_TERMS = 2.0  # mean number per gene at full noise
UNRELATED_TERM_GENES = 12  # genes of a term that has nothing to do with the programmes


def true_terms(world: World) -> list[np.ndarray]:
    """Gene sets (rows) of the programmes, of their sub-programmes, and of the pairs that the programme graph joins."""
    member = world.loadings != 0
    terms = [np.flatnonzero(genes) for genes in member.T]
    for programme in range(member.shape[1]):
        for sub in range(world.sub_programme.max() + 1):
            terms.append(np.flatnonzero((world.first_programme == programme) & (world.sub_programme == sub)))
    for first, second in np.argwhere(np.triu(world.adjacency)):
        terms.append(np.flatnonzero(member[:, first] | member[:, second]))
    return [term for term in terms if len(term) > 1]


def make_annotation(settings: DemoSettings, world: World, genes: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Annotate the genes: true terms with losses, wrong genes, and terms without meaning.

    `annotation_noise` of the settings is the chance that a true annotation is missing; spurious ones come at the same
    rate. Columns: gene (symbol), term; sorted, without repetition.
    """
    generator = np.random.default_rng(derive(seed, "demo", "annotation"))
    noise, count = settings.annotation_noise, len(genes)
    terms = true_terms(world)
    kept = [term[generator.random(len(term)) >= noise] for term in terms]
    spurious = [generator.choice(count, size=generator.binomial(len(term), noise / 2), replace=False) for term in terms]
    sets = [np.union1d(right, wrong) for right, wrong in zip(kept, spurious, strict=True)]
    unrelated = int(noise * SPURIOUS_TERMS * count / UNRELATED_TERM_GENES)
    sets += [generator.choice(count, size=UNRELATED_TERM_GENES, replace=False) for _ in range(unrelated)]
    order = generator.permutation(len(sets))
    symbols = genes["gene_name"].to_numpy()
    rows = [(symbols[gene], f"SW:{place + 1:05d}") for place, term in zip(order, sets, strict=True) for gene in term]
    table = pd.DataFrame(rows, columns=["gene", "term"]).drop_duplicates()
    return table.sort_values(["gene", "term"], ignore_index=True)
