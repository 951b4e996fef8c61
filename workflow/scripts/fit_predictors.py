"""Train one predictor on the pool of each split, and measure it on the test perturbations."""

import anndata
from scarceseq.files import read_table, write_table
from scarceseq.network.graph import read_graph
from scarceseq.perturbation.contexts import measured_elsewhere
from scarceseq.perturbation.evaluate import evaluate
from scarceseq.perturbation.interactions import PredictedInteractions
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.training_cells import read_cells
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards
profiles = anndata.read_h5ad(checked(source.pseudobulk))
screen = {"profiles": profiles, "differential": read_table(source.differential), "splits": read_table(source.splits)}
kernels = [read_graph(path) for path in source.get("kernel_graphs", [])]
kernels += [read_table(path).set_index("gene") for path in source.get("kernel_embeddings", [])]
contexts = [anndata.read_h5ad(checked(path)) for path in source.get("contexts", [])]
prior = Prior(
    profiles.obs_names.to_numpy(dtype=str),
    profiles.var_names.to_numpy(dtype=str),
    read_graph(source.graph) if source.get("graph") else None,
    read_table(source.embedding).set_index("gene") if source.get("embedding") else None,
    tuple(kernels),
    read_cells(source.cells, profiles.obs_names, snakemake.params.drop_expressing) if source.get("cells") else None,
    measured_elsewhere(profiles.obs_names, profiles.var_names, contexts) if contexts else None,
    snakemake.params.settings | {"threads": snakemake.threads},
)
identity = {"screen": wildcards.screen, "predictor": wildcards.predictor, "source": wildcards.source}
interactions = PredictedInteractions(profiles, snakemake.params.seed)
values, errors = evaluate(identity, screen, prior, interactions)
write_table(values, snakemake.output["values"])
write_table(errors, snakemake.output.errors)
write_table(interactions.table().assign(**identity), snakemake.output.interactions)
