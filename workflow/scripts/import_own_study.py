"""Bring a user's study onto the genes of a packed model: expression, labels, and what became of each gene."""

from dataclasses import fields

import numpy as np
from safetensors.torch import load_file
from scarceseq.archive.label_checks import notes_among
from scarceseq.archive.settings import UserStudySettings
from scarceseq.files import atomic, read_json, write_table
from scarceseq.joins import joins_table
from scarceseq.own_study.study import counts_table, labelled, read_own_study, whole_labels
from scarceseq.pretrain.model import load_base
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
source, output, settings = snakemake.input, snakemake.output, snakemake.params.settings
base = load_base(source.model, source.information)
held_out = settings.get("held_out")
columns = {settings["label"], settings["group"], held_out["column"] if held_out else ""} - {""}
study, expression, genes = read_own_study(
    UserStudySettings(
        label_columns=sorted(columns),
        min_protein_coding_share=0.0,
        **{field.name: settings[field.name] for field in fields(UserStudySettings) if field.name in settings},
    ),
    base,
    read_json(source.card),
    settings["orthologues"],
    settings["minimum_gene_share"],
    settings["accessions"],
    load_file(checked(source.sketches)),
)
samples = labelled(study, settings["label"], settings["group"], settings["classes"], held_out)
rows = study.samples.index.get_indexer(samples["sample"])
with atomic(output.expression, sealed=True) as temporary, open(temporary, "wb") as target:
    np.save(target, expression[rows])
write_table(samples, output.samples)
write_table(genes, output.genes)
write_table(counts_table(study, genes).reset_index(drop=True), output.counts)
write_table(whole_labels(study), output.labels)
write_table(study.unmapped, output.unmapped)
write_table(joins_table(study.joins), output.joins)
notes = notes_among(study, samples["sample"], settings["label"])
write_table(notes, output.notes)
