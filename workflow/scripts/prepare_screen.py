"""Make a screen ready: differences to control, reliability, differential genes, splits by perturbation."""

from scarceseq.files import atomic, write_json, write_table
from scarceseq.joins import joins_table
from scarceseq.runtime import start
from scarceseq.screen.prepare import prepare_screen
from scarceseq.screen.settings import ScreenSettings

start(snakemake.log[0])
screen = prepare_screen(
    snakemake.wildcards.screen,
    snakemake.input.screen,
    ScreenSettings.of(snakemake.params.settings),
    snakemake.params.seed,
    snakemake.input.get("symbols"),
    snakemake.input.get("published_split"),
)
with atomic(snakemake.output.pseudobulk, sealed=True) as temporary:
    screen["profiles"].write_h5ad(temporary)
write_table(screen["differential"], snakemake.output.differential)
write_table(screen["splits"], snakemake.output.splits)
write_json(screen["summary"], snakemake.output.summary)
write_table(joins_table(screen["joins"]), snakemake.output.joins)
