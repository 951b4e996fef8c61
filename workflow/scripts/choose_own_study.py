"""Choose the best classifier of a user's own study within each fold, and predict every sample with it."""

import logging

import pandas as pd
from scarceseq.files import read_table, write_json, write_table
from scarceseq.own_study.best import best_of_study
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import features_of, study_values
from scarceseq.own_study.unfinished import Unfinished
from scarceseq.runtime import start

start(snakemake.log[0])
source, output, params = snakemake.input, snakemake.output, snakemake.params
samples, unlabelled, counts = map(read_table, (source.samples, source.unlabelled, source.counts))
everybody = pd.concat([samples["sample"], unlabelled["sample"]]).tolist()
values = study_values(counts[everybody].to_numpy(float), features_of(read_table(source.features), everybody))
unfinished = Unfinished.of(f"{output.predictions}.unfinished.json", source, params)
settings = FoldSettings(**params.folds)
result = best_of_study(values, samples, unlabelled, params.candidates, settings, params.seed, unfinished)
logging.getLogger("scarceseq").info("first answer, before any permutation: %s", result.summary["first_answer"])
write_table(result.predictions, output.predictions)
write_table(result.samples, output.samples)
write_json(result.summary, output.summary)
unfinished.delete()
