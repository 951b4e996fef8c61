"""Score profiles that somebody else predicted for the splits of a screen."""

import anndata
from scarceseq.files import read_table, write_table
from scarceseq.perturbation.given import GIVEN, score_given
from scarceseq.perturbation.interactions import PredictedInteractions
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards
screen = {
    "profiles": anndata.read_h5ad(checked(source.pseudobulk)),
    "differential": read_table(source.differential),
    "splits": read_table(source.splits),
}
identity = {"screen": wildcards.screen, "predictor": wildcards.predictor, "source": GIVEN}
interactions = PredictedInteractions(screen["profiles"], snakemake.params.seed)
values, errors = score_given(identity, screen, source.predictions, snakemake.params["values"], interactions)
write_table(values, snakemake.output["values"])
write_table(errors, snakemake.output.errors)
write_table(interactions.table().assign(**identity), snakemake.output.interactions)
