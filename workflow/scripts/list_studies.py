"""List the archive's studies, and plan which batch fetches which; skipped studies carry the reason."""

import tempfile
from pathlib import Path

from scarceseq.archive.mirrors import DownloadSettings, Mirrors
from scarceseq.archive.plan import fetch_project_tables, plan_studies, runs_of_batch
from scarceseq.files import write_table
from scarceseq.runtime import start

start(snakemake.log[0])
params = snakemake.params
mirrors = Mirrors(params.mirrors, DownloadSettings(**params.download))
with tempfile.TemporaryDirectory(dir=Path(snakemake.output.studies).parent) as folder:
    runs = fetch_project_tables(mirrors, params.organism, params.sources, Path(folder))

plans = {Path(path).stem: path for path in snakemake.output.plans}
studies = plan_studies(runs, list(plans), params.min_runs, only=params.studies, excluded=params.excluded_studies)
write_table(studies, snakemake.output.studies)
for batch, path in plans.items():
    write_table(runs_of_batch(runs, studies, batch), path)
