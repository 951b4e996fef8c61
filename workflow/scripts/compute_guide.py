"""Turn the scouts' displacement into guides, and list accuracies and mobile genes."""

import safetensors.torch
from scarceseq import files, runtime
from scarceseq.guide.displacement import mean_over_scouts
from scarceseq.guide.guides import GUIDES, check_scouts, describe, gene_mobility, make_guide
from scarceseq.guide.settings import SchemeSettings
from scarceseq.guide.tables import accuracy_table, mobility_table

runtime.start(snakemake.log[0])

settings = SchemeSettings(**snakemake.params.settings)
outcomes = [outcome for path in snakemake.input.outcomes for outcome in files.read_json(path)["scouts"]]
kept = check_scouts(outcomes)
means = {group: mean_over_scouts(snakemake.input.displacement, kept, group) for group in ("moved", "fisher")}
genes = files.read_table(snakemake.input.genes)
information = files.read_json(snakemake.input.information)
provenance = {
    "base_sha256": files.sha256(snakemake.input.model),
    "corpus_fingerprint": information["corpus_fingerprint"],
    "split": information["split"],
    "scouts_sha256": files.sha256(snakemake.input.scouts),
    "scheme": settings.as_dictionary(),
    "scouts_trained": len(outcomes),
    "scouts_kept": kept,
}
for name, path, summary in zip(GUIDES, snakemake.output.guides, snakemake.output.summaries, strict=True):
    guide = make_guide(name, means, settings)
    with files.atomic(path, sealed=True) as temporary:
        safetensors.torch.save_file(guide, temporary)
    files.write_json(provenance | {"guide": name, "layers": describe(guide)}, summary)
mobility = gene_mobility(make_guide("per_tensor", means, settings), len(genes))
files.write_table(mobility_table(mobility, genes["gene_id"], genes["gene_name"]), snakemake.output.mobility)
files.write_table(accuracy_table(outcomes), snakemake.output.accuracy)
