"""What a run of the archive will ask for and take, said before it starts."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Projects of recount3's SRA source, and runs per project at some shares of them (quantiles of the list of mouse; that
# of human is alike), between which logarithms are interpolated.
PROJECTS = {"mouse": 10_088, "human": 8_677}
SHARES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1)
SIZES = (1, 1, 2, 4, 6, 10, 20, 47, 94, 599, 2684, 12284)
POINTS = 10_000  # at which that is read
# Files asked for of each study, and of the archive as a whole.
FILES_PER_STUDY, FILES_OF_ARCHIVE = 5, 3
# Of genuine files: kB of a run's gene sums, packed; kB that a run's files, shards and rows of the corpus take.
FETCHED_KB, STORED_KB = 141, 380
# Of computing: seconds of a core for a run from its download to the corpus, for a scout of a network whose first layer
# has `WIDTH` units, and for a fit of an episode; products of matrices a second, on one core in single precision; genes.
SECONDS_PER_RUN, SECONDS_PER_SCOUT, SECONDS_PER_FIT = 0.02, 15, 0.15
RATE, GENES, WIDTH = 3e10, 22_000, 1024
LINE = 1e8
"""Bits a second of a line of 100 Mbit/s."""


@dataclass(frozen=True)
class Estimate:
    """Size of what is planned: studies and runs, and what follows from them."""

    studies: int
    runs: int

    @property
    def requests(self) -> int:
        """Files that are asked for."""
        return FILES_OF_ARCHIVE + FILES_PER_STUDY * self.studies

    @property
    def fetched_gb(self) -> float:
        """Most that is downloaded; studies that their metadata rule out are not."""
        return self.runs * FETCHED_KB / 1e6

    @property
    def line_hours(self) -> float:
        """Hours of downloads at 100 Mbit/s."""
        return self.fetched_gb * 8e9 / LINE / 3600

    @property
    def stored_gb(self) -> float:
        """Disk that the run's folder needs."""
        return self.runs * STORED_KB / 1e6


def planned(path: str | Path) -> Estimate:
    """Estimate of a list of studies that is there already (`archive/studies.tsv`)."""
    with open(path, newline="", encoding="utf-8") as file:
        runs = [int(row["runs"]) for row in csv.DictReader(file, delimiter="\t") if row["batch"] not in ("", "NA")]
    return Estimate(len(runs), sum(runs))


def size_at(share: float) -> float:
    """Runs of the project below which a share of all projects lies."""
    above = next(place for place, upper in enumerate(SHARES) if upper >= share)
    low, high = SHARES[above - 1], SHARES[above]
    weight = (share - low) / (high - low)
    return math.exp((1 - weight) * math.log(SIZES[above - 1]) + weight * math.log(SIZES[above]))


def expected(archive: Mapping[str, Any]) -> Estimate:
    """Estimate from the config's section `archive` alone, by the sizes of recount3's studies."""
    sizes = [size_at((place + 0.5) / POINTS) for place in range(POINTS)]
    most = archive["max_study_runs"] or math.inf
    kept = [size for size in sizes if archive["min_runs"] <= size <= most]
    studies = len(archive["studies"]) or round(PROJECTS[archive["organism"]] * len(kept) / POINTS)
    studies = min(studies, archive["draw_studies"] or studies)
    runs = round(studies * sum(kept) / len(kept)) if kept else 0
    if archive["max_runs"] and runs > archive["max_runs"]:
        studies, runs = round(studies * archive["max_runs"] / runs), archive["max_runs"]
    return Estimate(studies, runs)


def computing_hours(config: Mapping[str, Any], estimate: Estimate) -> float:
    """Hours of one core, roughly: products of matrices at `RATE`, and what was measured of the rest.

    `config` is the whole one; the estimate is of its archive.
    """
    seconds = SECONDS_PER_RUN * estimate.runs
    widest = WIDTH
    for base in config.get("pretrain", {}).get("bases", {}).values():
        widest = (base["hidden_widths"] or [base["width"]])[0]
        weights = 2 * GENES * widest
        steps = base["steps"] * (1 + len(base["further_seeds"]))
        seconds += 6 * weights * base["batch_samples"] * steps / RATE
    for scheme in config.get("guide", {}).get("schemes", {}).values():
        seconds += scheme["scouts"] * SECONDS_PER_SCOUT * widest / WIDTH
    fewshot = config.get("fewshot", {})
    for task in fewshot.get("tasks", {}).values():
        cells = len(task["ways"]) * len(task["shots"])
        candidates = len(fewshot["fitting"]["steps"]) * len(fewshot["fitting"]["candidates"]["learning_rate"])
        episodes = fewshot["episodes"] + fewshot["validation_episodes"] * candidates
        seconds += cells * episodes * len(fewshot["methods"]) * SECONDS_PER_FIT
    return seconds / 3600


def sentence(estimate: Estimate, exact: bool, hours: float, cores: int) -> str:
    """What is said before the run starts; `hours` are of computing, on all cores.

    It is exact if the estimate is of the archive's own list, not of the config alone.
    """
    about = "" if exact else "about "
    return (
        f"This run plans {about}{estimate.studies:,} studies of {about}{estimate.runs:,} runs: up to "
        f"{estimate.requests:,} requests and {estimate.fetched_gb:.1f} GB of downloads "
        f"({_time(estimate.line_hours)} at 100 Mbit/s), {estimate.stored_gb:.1f} GB of disk, and some "
        f"{_time(hours)} of computing on {cores} core{'s' * (cores != 1)}."
    )


def _time(hours: float) -> str:
    minutes = max(1, round(hours * 60))
    return f"{hours:.1f} hours" if hours >= 1.5 else f"{minutes} minute{'s' * (minutes != 1)}"
