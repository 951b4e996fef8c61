"""Floors, ceilings and controls of every metric on one screen, and the strata of its perturbations."""

import anndata
from scarceseq.files import read_table, write_table
from scarceseq.network.graph import read_graph
from scarceseq.perturbation.calibration import calibrate
from scarceseq.perturbation.strata import stratify
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
source, screen = snakemake.input, snakemake.wildcards.screen
profiles = anndata.read_h5ad(checked(source.pseudobulk))
differential, splits = read_table(source.differential), read_table(source.splits)
table = calibrate(screen, profiles, differential, splits, snakemake.params.seed)
write_table(table, snakemake.output["values"])
graphs = {name: read_graph(path) for name, path in zip(snakemake.params.graphs, source.graphs, strict=True)}
write_table(stratify(screen, profiles, splits, graphs), snakemake.output.strata)
