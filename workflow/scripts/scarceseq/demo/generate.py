"""The small world from one seed: archive, screen, annotation, and the truth beside them."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.demo.annotation import make_annotation
from scarceseq.demo.archive import write_archive
from scarceseq.demo.expression import count_reads, coverage, sample_expression
from scarceseq.demo.genes import INFLATED_GENE, make_genes
from scarceseq.demo.metadata import make_tables
from scarceseq.demo.programmes import World, make_world
from scarceseq.demo.screen import make_screen, programme_names, write_screen
from scarceseq.demo.settings import DemoSettings
from scarceseq.demo.studies import make_runs, make_samples, make_studies
from scarceseq.files import write_json, write_table

logger = logging.getLogger(__name__)


def generate_demo(
    archive_folder: str | Path,
    screen_path: str | Path,
    annotation_path: str | Path,
    truth_folder: str | Path,
    settings: dict,
    seed: int,
    annotation_code: str = "M023",
) -> None:
    """Generate the small world.

    Parameters
    ----------
    archive_folder : path
        New or empty folder; becomes a recount3 mirror of organism mouse, source sra.
    screen_path, annotation_path : path
        Perturb-seq screen, h5ad; gene annotation, ``.tsv.gz`` with columns gene, term.
    truth_folder : path
        programmes, programme_graph, effects, shifts, samples, doubles if there are any (parquet) and quirks.json: for
        tests alone.
    settings : dict
        The config section ``demo`` with all its keys.
    annotation_code : str
        recount3's code of the annotation.
    """
    options = DemoSettings(**settings)
    genes = make_genes(options, seed)
    world = make_world(options, genes, seed)
    studies, samples, runs, activity = _generate_archive(archive_folder, options, world, genes, seed, annotation_code)
    screen, effects, shifts, doubles = make_screen(options, world, genes, seed)
    write_screen(screen, screen_path)
    logger.info("screen: %d cells of %d perturbations", screen.n_obs, len(effects))
    annotation = make_annotation(options, world, genes, seed)
    write_table(annotation, annotation_path)
    truth = Path(truth_folder)
    write_table(effects, truth / "effects.parquet")
    write_table(shifts, truth / "shifts.parquet")
    if len(doubles):
        write_table(doubles, truth / "doubles.parquet")
    write_world(world, genes, truth)
    state = pd.DataFrame(activity, columns=programme_names(activity.shape[1]))
    write_table(pd.concat([samples, state], axis=1), truth / "samples.parquet")
    write_json(list_quirks(studies, runs), truth / "quirks.json")


def _generate_archive(
    folder: str | Path, settings: DemoSettings, world: World, genes: pd.DataFrame, seed: int, annotation_code: str
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Draw and write the archive; returns studies, samples, runs and the samples' programme activities."""
    studies = make_studies(settings, world, seed)
    samples = make_samples(studies, seed)
    runs = make_runs(studies, samples, seed)
    expression, activity = sample_expression(settings, world, genes, studies, samples, seed)
    counts = count_reads(world, genes, expression, runs, seed)
    sums, totals = coverage(counts, runs, seed)
    tables = make_tables(runs, totals, seed)
    write_archive(folder, genes, runs, sums, tables, annotation_code, seed)
    logger.info("archive: %d studies, %d runs, %d genes", len(studies), len(runs), len(genes))
    return studies, samples, runs, activity


def write_world(world: World, genes: pd.DataFrame, folder: Path) -> None:
    """Write the loadings of the genes and the programme graph."""
    names = programme_names(len(world.adjacency))
    described = genes[["gene_id", "gene_name"]].assign(
        first_programme=world.first_programme, sub_programme=world.sub_programme, dispersion=world.dispersion
    )
    loadings = pd.DataFrame(world.loadings, columns=names)
    write_table(pd.concat([described, loadings], axis=1), folder / "programmes.parquet")
    first, second = np.nonzero(world.adjacency)
    edges = {"source": np.array(names)[first], "target": np.array(names)[second]}
    write_table(pd.DataFrame(edges), folder / "programme_graph.parquet")


def list_quirks(studies: pd.DataFrame, runs: pd.DataFrame) -> dict[str, Any]:
    """``{"studies": [...], "runs": [...]}`` of each quirk, and `INFLATED_GENE`; no runs if whole studies have it."""
    quirks = {}
    for study in studies.itertuples():
        for quirk in study.quirks:
            entry = quirks.setdefault(quirk, {"studies": [], "runs": []})
            entry["studies"].append(study.study)
            of_study = runs[runs["study"] == study.study]
            technical = quirk == "technical_runs"
            marked = of_study["experiment"].duplicated(keep=False) if technical else of_study["quirk"] == quirk
            entry["runs"] += list(of_study.loc[marked, "run"])
    return {**quirks, "inflated_gene": INFLATED_GENE}
