"""Train GEARS on one screen, fine-tune it on few perturbations of another, with and without a guide."""

import anndata
import torch
from scarceseq.files import read_table, write_table
from scarceseq.network.graph import read_graph
from scarceseq.perturbation.settings import TransferSettings
from scarceseq.perturbation.transfer import read_side, transfer
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
torch.set_num_threads(snakemake.threads)
source, settings = snakemake.input, snakemake.params.settings
screens = {
    side: {
        "profiles": anndata.read_h5ad(checked(source[f"{side}_pseudobulk"])),
        "differential": read_table(source[f"{side}_differential"]),
        "splits": read_table(source[f"{side}_splits"]),
    }
    for side in ("source", "target")
}
of_source = screens["source"]["profiles"].var_names
genes = screens["target"]["profiles"].var_names
genes = genes[genes.isin(of_source)].to_numpy(dtype=str)
graph, network = read_graph(source.graph), snakemake.params.gears | {"threads": snakemake.threads}
sides = [
    read_side(screen, source[f"{side}_cells"], graph, network, genes, snakemake.params.drop_expressing[side])
    for side, screen in screens.items()
]
table = transfer(snakemake.wildcards.transfer, *sides, TransferSettings(**settings), snakemake.params.seed)
write_table(table, snakemake.output["values"])
