"""List the archive's studies, and plan which batch fetches which; skipped studies carry the reason."""

import tempfile
from pathlib import Path

from scarceseq.archive.draw import Draw
from scarceseq.archive.excluded_ids import ids_table
from scarceseq.archive.mirrors import Mirrors
from scarceseq.archive.plan import excluded_projects, fetch_project_tables, plan_studies, projects_of_ids, runs_by_batch
from scarceseq.archive.settings import DownloadSettings
from scarceseq.files import write_table
from scarceseq.runtime import start
from scarceseq.user_tables import read_lists_of_ids

start(snakemake.log[0])
params = snakemake.params
mirrors = Mirrors(params.mirrors, DownloadSettings(**params.download))
with tempfile.TemporaryDirectory(dir=Path(snakemake.output.studies).parent) as folder:
    runs = fetch_project_tables(mirrors, params.organism, params.sources, Path(folder))

table = snakemake.input.get("accessions")
led = projects_of_ids(params.excluded_studies, runs["project"].unique(), read_lists_of_ids(table) if table else ())
excluded = excluded_projects(led)
plans = dict(zip(params.batches, snakemake.output.plans, strict=True))
ordinary = [batch for batch in plans if batch not in params.giant_studies]
# Not a parameter: it changes what is an error, not the plan, and a first study of one's own shall fetch nothing again.
own_studies = bool(snakemake.config.get("user_studies"))
bounds = params.min_runs, params.max_study_runs
draw = Draw(**params.draw)
studies = plan_studies(runs, ordinary, bounds, params.studies, excluded, params.giant_studies, own_studies, draw)
write_table(studies, snakemake.output.studies)
write_table(ids_table(led), snakemake.output.excluded)
for batch, rows in runs_by_batch(runs, studies, list(plans)).items():
    write_table(rows, plans[batch])
