"""Means over splits of all methods of transfer, with intervals, and their differences."""

import pandas as pd
from scarceseq.files import read_table, write_table
from scarceseq.perturbation.transfer_summary import summarise_transfer
from scarceseq.runtime import start

start(snakemake.log[0])
values = pd.concat([read_table(path) for path in snakemake.input["values"]], ignore_index=True)
write_table(summarise_transfer(values, snakemake.params.confidence), snakemake.output.summary)
