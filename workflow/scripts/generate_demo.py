"""Generate the small world of the embedded default: archive, screen, annotation and truth."""

from scarceseq.demo.generate import generate_demo
from scarceseq.runtime import start

start(snakemake.log[0])
generate_demo(
    snakemake.output.archive,
    snakemake.output.screen,
    snakemake.output.annotation,
    snakemake.output.truth,
    settings=snakemake.params.settings,
    seed=snakemake.params.seed,
    annotation_code=snakemake.params.annotation,
)
