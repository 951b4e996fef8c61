"""The design of the archive: studies, their samples and runs, and which of them carry a quirk."""

import itertools
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.demo.programmes import World
from scarceseq.demo.settings import DemoSettings
from scarceseq.seeds import derive

STRAINS = ["C57BL/6J", "BALB/c", "129S1/SvImJ", "FVB/N"]
AGES = ["6 weeks", "8 weeks", "12 weeks", "20 weeks"]
FIRST_PROJECT = 900_001
MIN_RUNS, MAX_RUNS, TINY_RUNS = 6, 40, 3
# Quirks of a single run.
ONE_RUN = (
    *("zero_run", "low_mapped_run", "missing_count_column"),
    *("empty_attributes", "duplicate_attribute_keys", "huge_value"),
)


def make_studies(settings: DemoSettings, world: World, seed: int) -> pd.DataFrame:
    """Draw the studies: size, library, tissues, treatment, and the quirks of those that have some.

    Columns: study, samples (count), paired, read_length (bases of one mate), depth (median fragments), tissues (list),
    treatment_kind (None: no contrast), strain, curated (whether recount_pred has the tissue), quirks (list of str).
    """
    generator = np.random.default_rng(derive(seed, "demo", "studies"))
    names = list(world.tissues)
    popularity = 1 / (np.arange(len(names)) + 1.0)
    popularity = generator.permutation(popularity / popularity.sum())
    quirks = assign_quirks(settings.studies, generator)
    kinds = list(world.treatments)
    contrasts = generator.permutation(np.arange(settings.studies) % 2 == 0)
    rows = []
    for index in range(settings.studies):
        samples = int(np.clip(np.rint(2 ** generator.normal(4.3, 0.7)), MIN_RUNS, MAX_RUNS))
        kind = kinds[generator.integers(len(kinds))] if contrasts[index] else None
        if "tiny" in quirks[index]:
            samples, kind = TINY_RUNS, None
        if kind is not None:
            samples = max(8, samples - samples % 2)
        wanted = int(generator.choice([2, 3, 4, 5, 6], p=[0.1, 0.15, 0.25, 0.25, 0.25]))
        cells = min(wanted, len(names), max(2, samples // (4 if kind else 3)))
        rows.append(
            {
                "study": f"SRP{FIRST_PROJECT + index}",
                "samples": samples,
                "paired": bool(generator.random() < 0.4) or "paired_end" in quirks[index],
                "read_length": int(generator.choice([50, 75, 100, 150])),
                "depth": float(np.clip(2 ** generator.normal(22.0, 0.7), 1.5e6, 1.2e7)),
                "tissues": [str(name) for name in generator.choice(names, size=cells, replace=False, p=popularity)],
                "treatment_kind": kind,
                "strain": STRAINS[generator.integers(len(STRAINS))],
                "curated": bool(generator.random() < 0.3),
                "quirks": quirks[index],
            }
        )
    return pd.DataFrame(rows)


def assign_quirks(count: int, generator: np.random.Generator) -> list[Any]:
    """Quirks of each study. Three studies are unfit as a whole; the others share the rest in turn."""
    order = generator.permutation(count)
    quirks = [[] for _ in range(count)]
    for study, quirk in zip(order, ["tiny", "single_cell", "size_fractionation"], strict=False):
        quirks[study].append(quirk)
    twice = ["header_only_pred", "technical_runs"]
    for study, quirk in zip(itertools.cycle(order[3:]), [*twice, *ONE_RUN, "paired_end", *twice], strict=False):
        if quirk not in quirks[study]:
            quirks[study].append(quirk)
    return quirks


def _labels(study: Any, generator: np.random.Generator) -> list[tuple[str, str]]:
    """Tissue and treatment of the samples of one study: cells filled in turn, so that they are balanced."""
    treatments = ["NA"] if study.treatment_kind is None else ["control", "treated"]
    cells = [(tissue, treatment) for tissue in study.tissues for treatment in treatments]
    return [cells[turn % len(cells)] for turn in generator.permutation(study.samples)]


def make_samples(studies: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One row per sample (sequenced library), in the order of studies.

    Columns: study, sample (SRS), experiment (SRX), tissue, treatment, treatment_kind, sex, strain, age, runs (count).
    """
    generator = np.random.default_rng(derive(seed, "demo", "samples"))
    rows = []
    for study in studies.itertuples():
        females = generator.choice([0.0, 0.5, 1.0], p=[0.2, 0.6, 0.2])
        age = AGES[generator.integers(len(AGES))]
        for index, (tissue, treatment) in enumerate(_labels(study, generator)):
            rows.append(
                {
                    "study": study.study,
                    "sample": f"SRS{9_000_001 + len(rows)}",
                    "experiment": f"SRX{9_500_001 + len(rows)}",
                    "tissue": tissue,
                    "treatment": treatment,
                    "treatment_kind": study.treatment_kind or "NA",
                    "sex": "female" if generator.random() < females else "male",
                    "strain": study.strain,
                    "age": age,
                    "runs": 2 if "technical_runs" in study.quirks and index < 3 else 1,
                }
            )
    return pd.DataFrame(rows)


def make_runs(studies: pd.DataFrame, samples: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One row per run, with the run's library and quirk.

    Columns: those of `make_samples`, run (SRR), rail_id, sample_number (row of `samples`), fragments (expected library
    size), paired, read_length, curated, quirk ('', one of `ONE_RUN`, single_cell or size_fractionation),
    header_only_pred.
    """
    generator = np.random.default_rng(derive(seed, "demo", "runs"))
    runs = samples.loc[samples.index.repeat(samples["runs"])].drop(columns="runs")
    runs = runs.reset_index(names="sample_number")
    runs["run"] = [f"SRR{9_100_001 + row}" for row in range(len(runs))]
    runs["rail_id"] = 7_000_001 + np.cumsum(generator.integers(1, 40, size=len(runs)))
    properties = studies.set_index("study").loc[runs["study"]]
    for column in ("paired", "read_length", "curated"):
        runs[column] = properties[column].to_numpy()
    runs["fragments"] = properties["depth"].to_numpy() * 2.0 ** generator.normal(0, 0.35, size=len(runs))
    runs["header_only_pred"] = ["header_only_pred" in quirks for quirks in properties["quirks"]]
    runs["quirk"] = ""
    _place_quirks(runs, studies)
    return runs


def _place_quirks(runs: pd.DataFrame, studies: pd.DataFrame) -> None:
    """Mark the runs that carry a quirk, in place: whole studies, else one run or two, counted from a study's end."""
    for study in studies.itertuples():
        rows = runs.index[runs["study"] == study.study]
        for whole in ("single_cell", "size_fractionation"):
            if whole in study.quirks:
                runs.loc[rows, "quirk"] = whole
        single = [quirk for quirk in study.quirks if quirk in ONE_RUN]
        for row, quirk in zip(reversed(rows), single, strict=False):
            runs.loc[row, "quirk"] = quirk
