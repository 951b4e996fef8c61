"""Normalise the cells of a screen: control and single-gene perturbations, log-transformed."""

from scarceseq.files import atomic, write_json
from scarceseq.runtime import start
from scarceseq.screen.cells import normalise_cells
from scarceseq.screen.settings import ScreenSettings

start(snakemake.log[0])
cells, counts = normalise_cells(snakemake.input.cells, ScreenSettings.of(snakemake.params.settings))
with atomic(snakemake.output.cells) as temporary:
    cells.write_h5ad(temporary)
write_json(counts, snakemake.output.summary)
