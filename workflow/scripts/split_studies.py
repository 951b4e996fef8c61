"""Give each study of the corpus its role in each split, such that the tasks of the config can be filled if possible."""

import logging

from scarceseq.corpus.splits import splits_of_run
from scarceseq.files import write_table
from scarceseq.runtime import start

start(snakemake.log[0])
# Tasks are no parameter: one that changes no role reruns nothing (see `roles` of the rule).
splits = splits_of_run(snakemake.input.samples, snakemake.input.attributes, snakemake.config)
for text in splits.attrs["moved"]:
    logging.info("%s", text)
for text in splits.attrs["unfilled"]:
    logging.warning("%s", text)
write_table(splits, snakemake.output.splits)
