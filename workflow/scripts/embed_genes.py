"""Write the vector that a base model learned for each gene, by gene id and name."""

import pandas as pd
from scarceseq import files, runtime
from scarceseq.pretrain.embedding import embed_genes
from scarceseq.pretrain.model import load_base

runtime.start(snakemake.log[0])

base = load_base(snakemake.input.model, snakemake.input.information)
vectors = embed_genes(base)
columns = [f"component_{index + 1}" for index in range(vectors.shape[1])]
names = {"gene_id": base.gene_ids, "gene_name": base.information["vocabulary"]["gene_names"]}
files.write_table(pd.DataFrame(names).join(pd.DataFrame(vectors, columns=columns)), snakemake.output.genes)
