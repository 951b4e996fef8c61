"""Normalise the cells of a screen: control and single-gene perturbations, log-transformed."""

from scarceseq.files import atomic, write_json
from scarceseq.runtime import start
from scarceseq.screen.cell_normalisation import normalise_cells
from scarceseq.screen.escape import drop_escaped
from scarceseq.screen.settings import ScreenSettings
from scarceseq.screen.symbols import current_symbols

start(snakemake.log[0])
settings = ScreenSettings.of(snakemake.params.settings)
current = current_symbols(snakemake.input.get("symbols"), settings)
with atomic(snakemake.output.cells, sealed=True) as temporary:
    counts = normalise_cells(snakemake.input.cells, temporary, settings, current)
    counts |= drop_escaped(temporary) if settings.drop_escaped_cells else {}
write_json(counts, snakemake.output.summary)
