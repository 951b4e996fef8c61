"""Which studies are fetched, and in which batch."""

import logging

import pandas as pd

from scarceseq.archive.layout import Study, homes_path, project_table_path
from scarceseq.archive.mirrors import DamagedError
from scarceseq.archive.tables import read_metadata
from scarceseq.errors import InputError
from scarceseq.seeds import derive

log = logging.getLogger(__name__)

PLAN_COLUMNS = ["organism", "source", "project", "run", "rail_id"]
STUDY_COLUMNS = ["organism", "source", "project", "runs", "batch", "skip_reason"]


def fetch_project_tables(mirrors, organism, sources, folder):
    """Runs of all wanted sources, from each source's project table.

    Parameters
    ----------
    mirrors : Mirrors
    organism : str
    sources : list of str
        Such as ``sra``; each must be among the organism's homes.
    folder : path
        For the files while they are read.

    Returns
    -------
    pandas.DataFrame
        `PLAN_COLUMNS`, one row per run, sorted.
    """
    _, homes = mirrors.fetch(homes_path(organism), folder / "homes_index", read_homes)
    tables = []
    for source in sources:
        if f"data_sources/{source}" not in homes:
            raise InputError(
                f"config key archive.sources: the archive has no source '{source}' of {organism}; "
                f"it has {', '.join(homes)}"
            )
        path = project_table_path(organism, source)
        _, table = mirrors.fetch(path, folder / f"{source}.gz", read_project_table)
        log.info("%s %s: %d runs of %d projects", organism, source, len(table), table["project"].nunique())
        tables.append(table.assign(organism=organism, source=source))
    runs = pd.concat(tables)[PLAN_COLUMNS]
    return runs.sort_values(PLAN_COLUMNS, ignore_index=True)


def read_homes(path):
    """Lines of a ``homes_index``."""
    homes = path.read_text(errors="replace").split()
    if not homes or not all(home.startswith(("data_sources/", "collections/")) for home in homes):
        raise DamagedError("not a homes_index")
    return homes


def read_project_table(path):
    """Columns project, run and rail_id of a source's project table, each run once."""
    table = read_metadata(path)
    if "project" not in table.columns:
        raise DamagedError("no column project")
    table = table.rename(columns={"external_id": "run"})[["project", "run", "rail_id"]]
    if table[["project", "run"]].isna().any(axis=None):
        raise DamagedError("rows without project or run")
    return table.drop_duplicates(["project", "run"])


def plan_studies(runs, batches, min_runs, only, excluded):
    """One row per study: its batch, or why it is skipped.

    Parameters
    ----------
    runs : pandas.DataFrame
        `PLAN_COLUMNS`.
    batches : list of str
        A study's batch depends on nothing but its own key and their number, so that it stays when studies are added.
    min_runs : int
    only, excluded : list of str
        Project accessions. All but the excluded are wanted if `only` is empty.

    Returns
    -------
    pandas.DataFrame
        `STUDY_COLUMNS`; batch is missing for a skipped study.
    """
    key = ["organism", "source", "project"]
    studies = runs.groupby(key, sort=True).size().rename("runs").reset_index()
    for name, listed in (("studies", only), ("excluded_studies", excluded)):
        unknown = sorted(set(listed) - set(studies["project"]))
        if unknown:
            log.warning("config key archive.%s: not in the archive: %s", name, ", ".join(unknown))
    reasons, assigned = [], []
    for study in studies.itertuples(index=False):
        reason = _skip_reason(study, min_runs, only, excluded)
        reasons.append(reason)
        assigned.append(None if reason else batches[batch_of(Study(*study[:3]), len(batches))])
    studies = studies.assign(batch=assigned, skip_reason=reasons)
    if studies["batch"].isna().all():
        raise InputError("archive: every study is skipped (keys min_runs, studies, excluded_studies); see studies.tsv")
    return studies[STUDY_COLUMNS]


def _skip_reason(study, min_runs, only, excluded):
    if study.project in excluded:
        return "excluded"
    if only and study.project not in only:
        return "not listed"
    if study.runs < min_runs:
        return f"under {min_runs} runs"
    return None


def batch_of(study, batches):
    """Index of a study's batch."""
    return derive(0, "batch", study.organism, study.source, study.project) % batches


def runs_of_batch(runs, studies, batch):
    """Rows of `runs` whose study is in the batch."""
    chosen = studies.loc[studies["batch"] == batch, ["organism", "source", "project"]]
    return runs.merge(chosen, on=["organism", "source", "project"])[PLAN_COLUMNS]


def planned_studies(plan):
    """(study, set of its runs) for each study of a plan table, sorted."""
    for key, rows in plan.groupby(["organism", "source", "project"], sort=True):
        yield Study(*key), set(rows["run"])
