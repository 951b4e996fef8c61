"""Embed the corpus, or a user's study from its counts, with a base model; the samples' tables go along.

A model that learned labels adds what it takes each sample for, ``predicted_<attribute>``.
"""

import torch
from scarceseq import device, files, runtime
from scarceseq.archive.counts import CountsFile
from scarceseq.pretrain.embedding import attribute_columns, embed, embed_rows, tell_labels, write_embedding
from scarceseq.pretrain.model import load_base
from scarceseq.seals import load_rows

runtime.start(snakemake.log[0])
runtime.keep_freed_memory()
torch.set_num_threads(snakemake.threads)

source = snakemake.input
base = load_base(source.model, source.information, device.choose(snakemake.params.device))
if source.get("study"):
    counts = CountsFile(source.study)
    table, genes = counts.read_samples(), counts.read_genes()
    gene_ids = genes.index.where(genes["measured"], None)
    with counts.open() as matrix:
        embedding, alignment = embed(base, matrix, gene_ids, snakemake.params.minimum_gene_share)
    share = alignment.share
else:
    table = files.read_table(source.samples).set_index("sample")
    splits = files.read_table(source.splits, dtype=str)
    role = splits[splits["split"] == base.information["split"]].set_index("study")["role"]
    table["role"] = table["study"].map(role).fillna("unused")
    embedding, share = embed_rows(base, load_rows(source.training)), 1.0
predicted = {f"predicted_{key}": values for key, values in tell_labels(base, embedding).items()}
attributes = attribute_columns(files.read_table(source.attributes), table.index)
write_embedding(embedding, table.assign(**predicted).join(attributes), base, share, snakemake.output[0])
