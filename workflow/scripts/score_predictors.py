"""Means over splits of all predictors, with intervals, and what each screen can carry."""

import anndata
import pandas as pd
from scarceseq.files import read_table, write_table
from scarceseq.perturbation.summary import capabilities, summarise
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
values = pd.concat([read_table(path) for path in snakemake.input["values"]], ignore_index=True)
screens = zip(snakemake.params.screens, snakemake.input.screens, strict=True)
kinds = {name: str(anndata.read_h5ad(checked(path), backed="r").uns["kind"]) for name, path in screens}
write_table(values, snakemake.output.scores)
write_table(summarise(values, snakemake.params.confidence), snakemake.output.summary)
write_table(capabilities(kinds), snakemake.output.capabilities)
