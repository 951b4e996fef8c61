"""Floors, ceilings and controls of every metric on one screen."""

import anndata
from scarceseq.files import read_table, write_table
from scarceseq.perturbation.calibration import calibrate
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
source = snakemake.input
profiles = anndata.read_h5ad(checked(source.pseudobulk))
differential, splits = read_table(source.differential), read_table(source.splits)
table = calibrate(snakemake.wildcards.screen, profiles, differential, splits, snakemake.params.seed)
write_table(table, snakemake.output["values"])
