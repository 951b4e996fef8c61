"""Bring in a user's own study: check its counts, map its genes, attach its labels."""

from scarceseq.archive.counts import write_counts
from scarceseq.archive.settings import UserStudySettings
from scarceseq.archive.user_study import import_study, study_annotation
from scarceseq.files import write_table
from scarceseq.joins import joins_table
from scarceseq.runtime import start

start(snakemake.log[0])
settings = UserStudySettings(**snakemake.params.study)
study = import_study(settings, study_annotation(settings, snakemake.input.annotation))
write_counts(study.counts, study.samples, study.genes, snakemake.output.study)
write_table(study.attributes, snakemake.output.attributes)
write_table(study.unmapped, snakemake.output.unmapped)
write_table(joins_table(study.joins), snakemake.output.joins)
write_table(study.notes, snakemake.output.notes)
