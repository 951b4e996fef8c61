"""Which studies are fetched, and in which batch."""

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from scarceseq.archive.download import DamagedError
from scarceseq.archive.draw import Draw
from scarceseq.archive.layout import Study, homes_path, project_table_path
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.names import is_name, why_no_name
from scarceseq.archive.tables import KEY_COLUMNS, read_metadata
from scarceseq.errors import InputError
from scarceseq.seeds import derive
from scarceseq.user_values import trim

log = logging.getLogger(__name__)

PLAN_COLUMNS = ["organism", "source", "project", "run", "rail_id"]
# Before the names of the other columns of the archive's list of runs.
LISTED = "recount_project."
# Most bytes of the archive's lists; its table of runs has some 100 MB of text.
HOMES_BYTES, PROJECTS_BYTES = 1 << 20, 1 << 30
# Between ids of one cell.
SEVERAL = re.compile(r"[\s;,|/]+")
STUDY_KEY = ["organism", "source", "project"]
STUDY_COLUMNS = [*STUDY_KEY, "runs", "batch", "skip_reason"]


def fetch_project_tables(mirrors: Mirrors, organism: str, sources: list[str], folder: Path) -> pd.DataFrame:
    """Runs of all wanted sources, such as ``sra``, from each source's project table; `folder` holds files meanwhile.

    `PLAN_COLUMNS`, one row per run, sorted; then every other column of the tables, its name behind `LISTED`.
    `InputError` for a source that the archive does not have of the organism.
    """
    homes = mirrors.fetch(homes_path(organism), folder / "homes_index", read_homes, HOMES_BYTES).verified
    tables = []
    for source in sources:
        if f"data_sources/{source}" not in homes:
            raise InputError(
                f"config key archive.sources: the archive has no source '{source}' of {organism}; "
                f"it has {', '.join(homes)}"
            )
        path = project_table_path(organism, source)
        table = mirrors.fetch(path, folder / f"{source}.gz", read_project_table, PROJECTS_BYTES).verified
        log.info("%s %s: %d runs of %d projects", organism, source, len(table), table["project"].nunique())
        tables.append(table.assign(organism=organism, source=source))
    runs = pd.concat(tables)
    runs = runs[[*PLAN_COLUMNS, *(name for name in runs if name.startswith(LISTED))]]
    return runs.sort_values(PLAN_COLUMNS, ignore_index=True)


def read_homes(path: str | Path) -> list[str]:
    """Lines of a ``homes_index``."""
    homes = path.read_text(errors="replace").split()
    if not homes or not all(home.startswith(("data_sources/", "collections/")) for home in homes):
        raise DamagedError("not a homes_index")
    return homes


def read_project_table(path: str | Path) -> pd.DataFrame:
    """Columns project, run and rail_id of a source's project table, and the others behind `LISTED`, each run once."""
    table = read_metadata(path, limit=PROJECTS_BYTES)
    if "project" not in table.columns:
        raise DamagedError("no column project")
    others = {name: table[name] for name in table if name not in KEY_COLUMNS}
    table = table.rename(columns={"external_id": "run"})[["project", "run", "rail_id"]]
    table = table.assign(**{LISTED + name: column for name, column in others.items()})
    if table[["project", "run"]].isna().any(axis=None):
        raise DamagedError("rows without project or run")
    return table.drop_duplicates(["project", "run"])


def projects_of_ids(
    ids: Sequence[str], projects: Iterable[str], rows: Sequence[Sequence[str]] = ()
) -> dict[str, list[str]]:
    """Which projects each id leads to, in the order of `ids`; one without any may still be found in a study's metadata.

    Parameters
    ----------
    ids : list of str
        Projects, or ids that other archives give them (BioProject, GEO series); in any case.
    projects : iterable of str
        All projects of the archive.
    rows : list of list of str, optional
        Cells of a table, from `scarceseq.user_tables.read_lists_of_ids`; the ids in a row belong to one study, whatever
        the columns are called, and a cell may hold several.
    """
    called = {accession(project): project for project in projects}
    asked = {accession(name): name for name in ids}
    led: dict[str, dict[str, None]] = {name: {} for name in ids}
    for key in asked.keys() & called.keys():
        led[asked[key]][called[key]] = None
    for row in rows:
        keys = {accession(piece) for cell in row for piece in SEVERAL.split(cell)}
        in_row = [called[key] for key in sorted(keys & called.keys())]
        for key in keys & asked.keys():
            led[asked[key]] |= dict.fromkeys(in_row)
    nowhere = sorted(name for name, there in led.items() if not there)
    if nowhere:
        log.warning(
            "excluded ids that are no project of the archive, and are looked for in the studies' metadata: %s",
            ", ".join(nowhere),
        )
    return {name: list(there) for name, there in led.items()}


def excluded_projects(led: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Id by which each project is excluded: its own if that is listed, else the first that leads to it.

    `led` is from `projects_of_ids`.
    """
    named = {project: name for name, there in led.items() for project in there if accession(name) == accession(project)}
    for name, there in led.items():
        for project in there:
            named.setdefault(project, name)
    return named


def accession(text: str) -> str:
    """An archive's id as ids are compared: without blanks around it, in capitals."""
    return trim(str(text)).upper()


def plan_studies(
    runs: pd.DataFrame,
    batches: list[str],
    bounds: tuple[int, int],
    only: Collection[str],
    excluded: Mapping[str, str],
    giants: Collection[str] = (),
    own_studies: bool = False,
    draw: Draw | None = None,
) -> pd.DataFrame:
    """One row per study, `STUDY_COLUMNS`: its batch, or why it is skipped and has none.

    Parameters
    ----------
    runs : pandas.DataFrame
        `PLAN_COLUMNS`.
    batches : list of str
        A study's batch depends on nothing but its own key and their number, so that it stays when studies are added.
    bounds : (int, int)
        Fewest and most runs of a study; 0 for no limit.
    only : list of str
        Projects; all are wanted if it is empty.
    excluded : dict of {str: str}
        From `excluded_projects`.
    giants : list of str, optional
        Projects that each have a batch of their own, of the project's name.
    own_studies : bool
        Whether the user brings studies: then the archive may have none, and gives the annotation alone.
    draw : Draw, optional
        Among the studies that nothing else skips.
    """
    studies = runs.groupby(STUDY_KEY, sort=True).size().rename("runs").reset_index()
    only = set(only)
    for name, listed in (("studies", only), ("giant_studies", giants)):
        unknown = sorted(set(listed) - set(studies["project"]))
        if unknown:
            log.warning("config key archive.%s: not in the archive: %s", name, ", ".join(unknown))
    damaged = studies_with_odd_ids(runs)
    sizes = {Study(*key): size for *key, size in studies.itertuples(index=False)}
    reasons = {
        study: damaged.get(study) or _skip_reason(study, sizes[study], bounds, only, excluded) for study in sizes
    }
    if draw:
        reasons |= draw.passed_over({study: size for study, size in sizes.items() if not reasons[study]})
    assigned = [
        None if reason else study.project if study.project in giants else batches[batch_of(study, len(batches))]
        for study, reason in reasons.items()
    ]
    studies = studies.assign(batch=assigned, skip_reason=list(reasons.values()))
    if studies["batch"].isna().all() and not own_studies:
        raise InputError(
            "archive: every study is skipped (keys min_runs, max_study_runs, studies, studies_file, max_runs, "
            f"excluded_studies): {', '.join(f'{n} {reason}' for reason, n in Counter(reasons.values()).most_common(3))}"
        )
    _report_balance(studies[studies["batch"].isin(batches)], len(batches))
    return studies[STUDY_COLUMNS]


def studies_with_odd_ids(runs: pd.DataFrame) -> dict[Study, str]:
    """Words for each study whose id, or a run's, is no plain name."""
    odd = ~(runs["project"].map(is_name) & runs["run"].map(is_name))
    damaged = {}
    for study, rows in planned_rows(runs[odd]):
        damaged[study] = f"damaged: {why_no_name(study.project, set(rows['run']))}"
        log.warning("a study of the archive is left out, %s", damaged[study])
    return damaged


def _skip_reason(
    study: Study, runs: int, bounds: tuple[int, int], only: Collection[str], excluded: Mapping[str, str]
) -> str | None:
    if study.project in excluded:
        named = excluded[study.project]
        return "excluded" if named == study.project else f"excluded: {named}"
    if only and study.project not in only:
        return "not listed"
    if runs < bounds[0]:
        return f"under {bounds[0]} runs"
    if 0 < bounds[1] < runs:
        return f"over {bounds[1]} runs"
    return None


def batch_of(study: Study, batches: int) -> int:
    """Index of a study's batch."""
    return derive(0, "batch", study.organism, study.source, study.project) % batches


def _report_balance(studies: pd.DataFrame, batches: int) -> None:
    """Log how evenly the runs are divided, and which studies are as large as a batch."""
    loads = studies.groupby("batch")["runs"].sum()
    mean = studies["runs"].sum() / batches
    log.info("%d runs in %d batches: %.0f on average, at most %d", loads.sum(), batches, mean, loads.max())
    large = studies.loc[(studies["runs"] > mean) & (batches > 1), "project"]
    if len(large):
        log.info("larger than a batch on average; archive.giant_studies could name them: %s", ", ".join(large))


def runs_by_batch(runs: pd.DataFrame, studies: pd.DataFrame, batches: list[str]) -> dict[str, pd.DataFrame]:
    """Rows of `runs`, in their order, of each of `batches`; `studies` is from `plan_studies`."""
    batch = runs[STUDY_KEY].merge(studies[[*STUDY_KEY, "batch"]], on=STUDY_KEY, how="left")["batch"].to_numpy()
    rows = pd.Series(range(len(runs))).groupby(batch).indices
    return {name: runs.iloc[rows.get(name, [])] for name in batches}


def planned_studies(plan: pd.DataFrame) -> Iterator[tuple[Study, set[str]]]:
    """(study, set of its runs) for each study of a plan table, sorted."""
    for study, rows in planned_rows(plan):
        yield study, set(rows["run"])


def planned_rows(plan: pd.DataFrame) -> Iterator[tuple[Study, pd.DataFrame]]:
    """(study, its rows) for each study of a plan table, sorted."""
    for key, rows in plan.groupby(STUDY_KEY, sort=True):
        yield Study(*key), rows
