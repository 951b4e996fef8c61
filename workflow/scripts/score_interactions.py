"""Genetic interactions of doubles: true scores beside those that each predictor's profiles give."""

import anndata
import pandas as pd
from scarceseq.files import read_table, write_table
from scarceseq.perturbation.interactions import true_beside_predicted
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
predicted = pd.concat([read_table(path) for path in snakemake.input.predicted], ignore_index=True)
tables = []
for name, path in zip(snakemake.params.screens, snakemake.input.screens, strict=True):
    profiles = anndata.read_h5ad(checked(path))
    rows = predicted[predicted["screen"].eq(name)].drop(columns="screen")
    tables.append(true_beside_predicted(name, profiles, rows, snakemake.params.seed))
write_table(pd.concat(tables, ignore_index=True), snakemake.output.interactions)
