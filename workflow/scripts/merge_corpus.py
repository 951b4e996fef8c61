"""Join batches, user studies and other runs' corpora: exact counts, the training matrix, and tables."""

import pandas as pd
from scarceseq.archive.excluded_ids import ids_table, with_metadata
from scarceseq.archive.manifest import check_failed_share, read_manifest
from scarceseq.archive.plan import STUDY_COLUMNS
from scarceseq.corpus import merge, store
from scarceseq.corpus.all_metadata import join_metadata
from scarceseq.corpus.attributes import join_attributes
from scarceseq.corpus.gene_choice import read_gene_list
from scarceseq.corpus.orthologues import OrthologueTable
from scarceseq.corpus.study_status import study_status
from scarceseq.corpus.vocabulary import Terms, read_vocabulary
from scarceseq.files import read_table, write_table
from scarceseq.runtime import start

start(snakemake.log[0])
source, output = snakemake.input, snakemake.output
entries = [entry for path in source.manifests for entry in read_manifest(path)]
check_failed_share(entries, snakemake.params.max_failed_share)

dropped = [read_table(path, dtype=str) for path in source.dropped]
settings = snakemake.params.orthologues
orthologues = OrthologueTable(**settings) if settings else None
others = merge.OtherCorpora(list(source.corpora), orthologues, snakemake.params.excluded_studies)
paths = [*source.shards, *source.studies]
gene_list = read_gene_list(source.gene_list) if source.gene_list else None
corpus = merge.merge(
    paths,
    dropped,
    snakemake.params.gene_types,
    others,
    snakemake.params.organism,
    gene_list,
    snakemake.params.measured_share,
)
samples = merge.sample_table(corpus)
store.write_corpus(corpus, output.corpus, output.training)
write_table(samples, output.samples)
write_table(merge.gene_table(corpus), output.genes)
write_table(corpus.dropped, output.dropped)
write_table(corpus.pairs, output.orthologues)
kept = (samples.loc[corpus.file_of == index, "sample"] for index in range(len(corpus.files)))
terms = Terms(read_vocabulary(snakemake.params.vocabulary.get("attributes", ()), source.vocabulary or None))
join_attributes(source.attributes, kept, output.attributes, terms)
write_table(terms.use(samples), output.vocabulary)
of_archives = [*corpus.files[: len(source.shards)], *corpus.files[len(paths) :]]  # a user's study has no metadata
join_metadata(source.metadata, [file.prefix for file in of_archives], output.metadata)
listed = read_table(source.listed) if source.listed else pd.DataFrame(columns=STUDY_COLUMNS)
if source.excluded:
    left_out = corpus.dropped.loc[corpus.dropped["reason"] == "study_excluded", "study"]
    ids = with_metadata(read_table(source.excluded, dtype=str), entries, left_out, snakemake.params.must_be_found)
else:
    ids = ids_table({})
write_table(ids, output.excluded)
write_table(study_status(listed, samples, corpus.dropped), output.studies)
