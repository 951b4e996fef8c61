"""Choose and cross-validate the best classifier of a user's own study again under permuted labels."""

from scarceseq.files import read_table, write_table
from scarceseq.own_study.permutation import permutation_scores
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import features_of, study_values
from scarceseq.own_study.unfinished import Unfinished
from scarceseq.runtime import start

start(snakemake.log[0])
source, output, params = snakemake.input, snakemake.output, snakemake.params
samples, counts = read_table(source.samples), read_table(source.counts)
names = samples["sample"].tolist()
values = study_values(counts[names].to_numpy(float), features_of(read_table(source.features), names))
unfinished = Unfinished.of(f"{output.permutations}.unfinished.json", source, params)
settings = FoldSettings(**params.folds)
table = permutation_scores(values, samples, params.candidates, settings, params.permutations, params.seed, unfinished)
write_table(table, output.permutations)
unfinished.delete()
