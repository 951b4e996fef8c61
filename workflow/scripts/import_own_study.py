"""Bring a user's study in: counts, labels, and with a packed model expression and features on the model's genes."""

from dataclasses import fields

import numpy as np
import pandas as pd
from safetensors.torch import load_file
from scarceseq.archive.settings import UserStudySettings
from scarceseq.archive.user_study import notes_among
from scarceseq.files import atomic, read_json, write_table
from scarceseq.joins import joins_table
from scarceseq.own_study.features import features_table, gene_set_scores, model_features
from scarceseq.own_study.sample_labels import labelled, whole_labels
from scarceseq.own_study.study import counts_table, read_own_study, read_without_model
from scarceseq.pretrain.model import load_base
from scarceseq.runtime import start
from scarceseq.seals import checked

start(snakemake.log[0])
source, output, settings = snakemake.input, snakemake.output, snakemake.params.settings
held_out = settings.get("held_out")
columns = {settings["label"], settings["group"], settings["block"], held_out["column"] if held_out else ""} - {""}
tables = UserStudySettings(
    label_columns=sorted(columns),
    min_protein_coding_share=0.0,
    **{field.name: settings[field.name] for field in fields(UserStudySettings) if field.name in settings},
)
features = {}
with_model = "model" in source.keys()  # noqa: SIM118 (a Namedlist holds its values)
if with_model:
    base = load_base(source.model, source.information)
    study, expression, genes = read_own_study(
        tables,
        base,
        read_json(source.card),
        settings["orthologues"],
        settings["minimum_gene_share"],
        settings["accessions"],
        load_file(checked(source.sketches)),
    )
else:
    study, genes = read_without_model(tables)
names = [settings[key] for key in ("label", "group", "classes")]
samples, unlabelled = labelled(study, *names, held_out, settings["block"])
everybody = pd.concat([samples["sample"], unlabelled["sample"]])
rows = study.samples.index.get_indexer(everybody)
if with_model:
    features |= model_features(base, load_file(checked(source.components)), expression[rows])
    with atomic(output.expression, sealed=True) as temporary, open(temporary, "wb") as target:
        np.save(target, expression[rows[: len(samples)]])
counts = counts_table(study, genes).reset_index(drop=True)
if settings["gene_sets"]:
    features["gene_sets"] = gene_set_scores(counts[everybody].to_numpy(), counts["gene_name"], settings["gene_sets"])
write_table(features_table(everybody, features), output.features)
write_table(samples, output.samples)
write_table(unlabelled, output.unlabelled)
write_table(genes, output.genes)
write_table(counts, output.counts)
write_table(whole_labels(study), output.labels)
write_table(study.unmapped, output.unmapped)
write_table(joins_table(study.joins), output.joins)
write_table(notes_among(study, samples["sample"], settings["label"]), output.notes)
