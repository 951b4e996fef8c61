"""Give each study of the corpus its role in each split."""

from scarceseq.corpus.splits import split_studies
from scarceseq.files import read_table, write_table
from scarceseq.runtime import start

start(snakemake.log[0])
studies = read_table(snakemake.input.samples, columns=["study"])["study"]
write_table(split_studies(studies, snakemake.params.splits, snakemake.params.seed), snakemake.output.splits)
