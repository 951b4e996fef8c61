"""Turn the scouts' displacement into guides, and list accuracies and mobile genes."""

import safetensors.torch
from scarceseq import files, runtime
from scarceseq.guide.displacement import mean_displacement
from scarceseq.guide.guides import GUIDES, check_scouts, describe, gene_mobility
from scarceseq.guide.settings import SchemeSettings
from scarceseq.guide.tables import accuracy_table, mobility_table

runtime.start(snakemake.log[0])

settings = SchemeSettings(**snakemake.params.settings)
outcomes = [outcome for path in snakemake.input.outcomes for outcome in files.read_json(path)["scouts"]]
kept = check_scouts(outcomes)
moved = mean_displacement(snakemake.input.displacement, kept, settings.displacement)
genes = files.read_table(snakemake.input.genes)
provenance = {
    "base_sha256": files.sha256(snakemake.input.model),
    "scheme": settings.as_dictionary(),
    "scouts_trained": len(outcomes),
    "scouts_kept": kept,
}
for name, path, summary in zip(GUIDES, snakemake.output.guides, snakemake.output.summaries, strict=True):
    guide = GUIDES[name](moved)
    with files.atomic(path) as temporary:
        safetensors.torch.save_file(guide, temporary)
    files.write_json(provenance | {"guide": name, "layers": describe(guide)}, summary)
mobility = gene_mobility(GUIDES["per_tensor"](moved), len(genes))
files.write_table(mobility_table(mobility, genes["gene_id"], genes["gene_name"]), snakemake.output.mobility)
files.write_table(accuracy_table(outcomes), snakemake.output.accuracy)
