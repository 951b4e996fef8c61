"""Fetch a public screen of the catalogue, verified."""

from scarceseq.runtime import start
from scarceseq.screen.fetch import entry_of, fetch_screen

start(snakemake.log[0])
fetch_screen(entry_of(snakemake.params.name), snakemake.output.screen)
