"""What the samples of a user's own study are, and how the columns of its labels go together."""

from scarceseq.files import read_json, read_table, write_json, write_table
from scarceseq.own_study.columns import column_notes, compare_columns
from scarceseq.own_study.names import without_study
from scarceseq.own_study.quality import check_samples, principal_components
from scarceseq.runtime import start

start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
counts, samples = read_table(source.counts), read_table(source.samples)
labels = read_table(source.labels).set_index("sample").loc[samples["sample"]]
values = counts[samples["sample"]].to_numpy(float)
samples["sample"] = without_study(samples["sample"], samples["study"])
labels.index = samples["sample"]
organism = params.organism or read_json(source.card)["organism"]
table, notes = check_samples(values, counts[["gene_id", "gene_name"]], organism, samples, labels)
columns = compare_columns(labels)
components, explained = principal_components(values, samples["sample"])
write_table(table, snakemake.output.samples)
write_table(columns, snakemake.output.columns)
write_table(components.merge(labels.reset_index(), on="sample"), snakemake.output.components)
notes = [*column_notes(columns, labels, params.label, params.group), *notes]
flagged = int((table["flags"] != "").sum())
write_json(
    {"notes": notes, "flagged": flagged, "samples": len(table), "explained": explained}, snakemake.output.summary
)
