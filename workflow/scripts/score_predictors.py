"""Means over splits of all predictors, with intervals, in strata too; what screens can carry and metrics can tell."""

import anndata
import pandas as pd
from scarceseq.files import read_table, write_table
from scarceseq.perturbation.metric_table import metric_table
from scarceseq.perturbation.strata import summarise_strata
from scarceseq.perturbation.summary import capabilities, summarise
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
values = pd.concat([read_table(path) for path in snakemake.input["values"]], ignore_index=True)
screens = zip(snakemake.params.screens, snakemake.input.screens, strict=True)
kinds = {name: str(anndata.read_h5ad(checked(path), backed="r").uns["kind"]) for name, path in screens}
calibration = pd.concat([read_table(path) for path in snakemake.input.calibration], ignore_index=True)
confidence = snakemake.params.confidence
write_table(values, snakemake.output.scores)
write_table(summarise(values, calibration, confidence), snakemake.output.summary)
write_table(metric_table(calibration, kinds, confidence), snakemake.output.metrics)
errors, strata = (pd.concat([read_table(path) for path in snakemake.input[name]]) for name in ("errors", "strata"))
write_table(summarise_strata(errors, strata, confidence), snakemake.output.strata)
write_table(capabilities(kinds), snakemake.output.capabilities)
