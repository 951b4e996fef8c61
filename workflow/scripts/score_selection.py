"""Score all selectors: learning curves, areas under them, contrasts against random, what choices are worth."""

from scarceseq.files import write_table
from scarceseq.runtime import start
from scarceseq.selection.contrasts import contrast
from scarceseq.selection.scores import per_split, read_predictions, summarise, with_areas
from scarceseq.selection.settings import JudgementSettings
from scarceseq.selection.worth import worth

start(snakemake.log[0])
settings = JudgementSettings(snakemake.params.worthwhile_share, snakemake.params.confidence)
scores = read_predictions(snakemake.input.predictions)
values = with_areas(per_split(scores))
write_table(scores, snakemake.output.scores)
write_table(summarise(values, settings.confidence), snakemake.output.summary)
write_table(contrast(values, settings, snakemake.params.controls), snakemake.output.contrasts)
write_table(worth(values, settings.confidence), snakemake.output.worth)
