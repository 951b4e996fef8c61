"""How well the best classifier of a user's own study does with fewer samples, and the curve's way to more."""

from scarceseq.files import read_table, write_table
from scarceseq.own_study.learning_curve import learning_curve, summarise_curve
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import features_of, study_values
from scarceseq.own_study.unfinished import Unfinished
from scarceseq.runtime import start

start(snakemake.log[0])
source, output, params = snakemake.input, snakemake.output, snakemake.params
samples, counts = read_table(source.samples), read_table(source.counts)
names = samples["sample"].tolist()
values = study_values(counts[names].to_numpy(float), features_of(read_table(source.features), names))
unfinished = Unfinished.of(f"{output.curve}.unfinished.json", source, params)
settings = FoldSettings(**params.folds)
draws = learning_curve(values, samples, params.candidates, settings, params.seed, unfinished)
write_table(summarise_curve(draws, params.seed), output.curve)
unfinished.delete()
