"""Pre-train one base model and score it on held-out studies beside simple predictors."""

from scarceseq import runtime
from scarceseq.pretrain import worker

runtime.start(snakemake.log[0])
processes = snakemake.resources.processes
job = {
    "input": dict(snakemake.input.items()),
    "output": dict(snakemake.output.items()),
    "settings": snakemake.params.settings,
    "seed": snakemake.params.seed,
    "device": snakemake.params.device,
    "code": snakemake.params.code,
    "threads": max(snakemake.threads // processes, 1),
    "log": snakemake.log[0],
}
worker.launch(job, processes, snakemake.resources.get("nodes", 1))
