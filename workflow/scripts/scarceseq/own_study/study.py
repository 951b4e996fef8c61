"""A study of the user's own on the genes of a packed model, as the few-shot methods see any corpus."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scarceseq.archive.user_study import examples, import_study
from scarceseq.archive.user_tables import read_counts
from scarceseq.corpus.orthologues import OrthologueTable
from scarceseq.errors import InputError
from scarceseq.fewshot.corpus import Corpus
from scarceseq.guide.reference import stand_in
from scarceseq.guide.sketches import copies_among
from scarceseq.pretrain.embedding import align, log_expression

if TYPE_CHECKING:
    import torch

    from scarceseq.archive.settings import UserStudySettings
    from scarceseq.archive.user_study import UserStudy
    from scarceseq.pretrain.model import Base

REFERENCE = "reference studies"


def read_own_study(
    settings: "UserStudySettings",
    base: "Base",
    card: Mapping[str, Any],
    orthologues: Mapping[str, Any] | None,
    minimum_gene_share: float,
    accessions: Sequence[str] = (),
    sketches: "dict[str, torch.Tensor] | None" = None,
) -> "tuple[UserStudy, np.ndarray, pd.DataFrame]":
    """Counts of the study, as log2(TPM + 1) in the model's genes, by the model's gene lengths.

    The organism of `settings` may be None, for the model's. `card` is the model's (`scarceseq.guide.card.make_card`),
    `orthologues` the keys of `OrthologueTable`, for a study of another organism, `minimum_gene_share` that of the
    model's genes, `accessions` what archives call the study, `sketches` those of the model's training samples
    (`scarceseq.guide.sketches.training_sketches`).

    The expression is float32, (samples, genes of the model); a gene that the table lacks is at the model's mean. The
    genes have gene_id, gene_name (the model's), row (what the table calls it, missing where it lacks the gene). Raises
    InputError as `import_study`, or if the model or its guides were made with the study, or its organism cannot be
    brought onto the model's genes.
    """
    check_unseen([settings.name, *accessions], card)
    organism = card["organism"]
    names = base.information["vocabulary"]["gene_names"]
    lengths = base.information["vocabulary"]["bp_length"]
    of_model = pd.DataFrame({"gene_id": base.gene_ids, "gene_name": names, "bp_length": lengths})
    settings = replace(settings, organism=settings.organism or organism, min_protein_coding_share=0.0)
    annotation, rows, pairs = of_model, np.arange(len(of_model)), ""
    if settings.organism != organism:
        annotation, rows = _through_orthologues(settings, of_model, organism, orthologues)
        pairs = f"; {len(rows)} one-to-one pairs of the table of orthologues are of the model"
    study = import_study(settings, annotation.assign(gene_type=""))
    counts = np.zeros((len(study.counts), len(of_model)))
    counts[:, rows] = study.counts
    called = np.full(len(of_model), None, dtype=object)
    called[rows] = np.where(study.genes["measured"], annotation["gene_id"], None)
    try:
        there = [gene if name else None for gene, name in zip(base.gene_ids, called, strict=True)]
        alignment = align(base, there, minimum_gene_share)
    except InputError as error:
        raise InputError(
            f"user study {settings.name}: {error} (`own_study.minimum_gene_share`; gene_id_type is "
            f"{settings.gene_id_type}, {len(study.unmapped)} rows of the table are no gene of the model"
            f"{examples(study.unmapped)}{pairs})"
        ) from error
    logging.getLogger(__name__).info("%s: %.0f%% of the model's genes", settings.name, 100 * alignment.share)
    if sketches is not None:
        measured = np.array([name is not None for name in called])
        lengths = np.asarray(base.information["vocabulary"]["bp_length"], dtype=float)
        check_no_copies(study, copies_among(counts, measured, lengths, sketches), sketches, card)
    return (
        study,
        log_expression(base, alignment, counts).astype(np.float32),
        of_model[["gene_id", "gene_name"]].assign(row=called),
    )


def read_without_model(
    settings: "UserStudySettings", samples_there: Sequence[str] = ()
) -> "tuple[UserStudy, pd.DataFrame]":
    """Counts of the study on its own genes, where there is no model.

    The genes have gene_id, gene_name, row: the names of the table itself.
    """
    names = pd.Series(read_counts(settings.counts, samples_there, settings.duplicate_samples == "sum").genes, dtype=str)
    names = names.drop_duplicates().reset_index(drop=True)
    annotation = pd.DataFrame({"gene_id": names, "gene_name": names, "bp_length": 0, "gene_type": ""})
    organism: Any = settings.organism or ""
    settings = replace(settings, organism=organism, gene_id_type="symbol", min_protein_coding_share=0.0)
    return import_study(settings, annotation), annotation[["gene_id", "gene_name"]].assign(row=names)


def check_unseen(names: Sequence[str], card: Mapping[str, Any]) -> None:
    """Refuse a study that the model or its scouts learned from; names of a joined corpus have a prefix."""
    seen = {study.rpartition(".")[2] for study in [*card["training_studies"], *card["scout_studies"]]}
    again = sorted(seen.intersection(names))
    if again:
        raise InputError(
            f"config key own_study: the model or its guides were made with the study {again[0]}, so that testing on it "
            "would tell nothing; take a model that holds it out, or, if this is another study, give it another name"
        )


def check_no_copies(
    study: "UserStudy",
    copies: list[tuple[int, int, float]],
    sketches: "dict[str, torch.Tensor]",
    card: Mapping[str, Any],
) -> None:
    """Refuse a study with samples that the model or its scouts learned from, whatever they are called."""
    log = logging.getLogger(__name__)
    if not copies:
        log.info("none of the samples is one of the %d that the model was made with", len(sketches["study"]))
        return
    sample, row, index = copies[0]
    again = card["sketched_studies"][int(sketches["study"][row])]
    raise InputError(
        f"config key own_study: {len({one for one, _, _ in copies})} of {len(study.counts)} samples are samples that "
        f"the model or its guides were made with, by their counts: {study.samples.index[sample]} is one of {again} "
        f"(they differ by {index:.2f} of what two readings of one library differ by), so that testing on it would tell "
        "nothing; take a model that holds them out, or leave them out of own_study.counts"
    )


def _through_orthologues(
    settings: "UserStudySettings", of_model: pd.DataFrame, organism: str, orthologues: Mapping[str, Any] | None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Genes of the study's organism that are one-to-one orthologues of the model's, and which of these they are."""
    if orthologues is None:
        raise InputError(
            f"config key own_study.orthologues: the model is of {organism}, the study of {settings.organism}; give a "
            "table of orthologues"
        )
    table = OrthologueTable(**orthologues)
    if table.gene_id_type != settings.gene_id_type:
        raise InputError(
            f"config key own_study.orthologues.gene_id_type: the table has {table.gene_id_type}, the study "
            f"{settings.gene_id_type}; give both by the same kind of gene id"
        )
    names = pd.unique(table.pairs(organism, str(settings.organism))["orthologue"])
    other = pd.DataFrame({"gene_name": names}, index=names)
    places, _ = table.match(organism, of_model.set_index("gene_id"), str(settings.organism), other)
    rows = np.flatnonzero(places >= 0)
    matched = names[places[rows]]
    return pd.DataFrame({"gene_id": matched, "gene_name": matched, "bp_length": 0}), rows


def own_corpus(
    expression: np.ndarray, samples: pd.DataFrame, base: "Base", components: "dict[str, torch.Tensor]"
) -> tuple[Corpus, pd.DataFrame]:
    """The study beside a stand-in for the studies that the model was trained on, so that every method finds both.

    `expression`, (samples, genes), is from `read_own_study`, `samples` has the columns sample, study; for `components`
    see `scarceseq.guide.reference.reference_components`. The table of splits has split, study, role.
    """
    reference = stand_in(components) * base.scale.cpu().numpy() + base.mean.cpu().numpy()
    names = [f"{REFERENCE} {row}" for row in range(len(reference))]
    table = pd.concat([samples[["sample", "study"]], pd.DataFrame({"sample": names, "study": REFERENCE})])
    corpus = Corpus(np.concatenate([expression, reference.astype(np.float32)]), table, base.gene_ids, base)
    studies = [*pd.unique(samples["study"]), REFERENCE]
    roles = ["test"] * (len(studies) - 1) + ["pretrain"]
    return corpus, pd.DataFrame({"split": base.information["split"], "study": studies, "role": roles})


def counts_table(study: "UserStudy", genes: pd.DataFrame) -> pd.DataFrame:
    """Counts of all genes of the user's table, whether the model has those of `read_own_study` or not.

    Columns: gene_id (as the table calls it), gene_name (the model's symbol where it knows the gene, else the id), and
    one for each sample.
    """
    measured = genes.dropna(subset=["row"])
    names = dict(zip(measured["row"], measured["gene_name"], strict=True))
    called, matched = study.table.index.astype(str), study.joins[-1].pairs
    symbols = [names.get(matched.get(gene)) or matched.get(gene, gene) for gene in called]
    table = study.table.reset_index(drop=True)
    table.insert(0, "gene_id", called)
    table.insert(1, "gene_name", symbols)
    return table[~table["gene_id"].str.startswith(("__", "N_"))]
