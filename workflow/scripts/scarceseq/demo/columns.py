"""Column names and their order in the five metadata tables of recount3 (mouse, source sra)."""

IDENTITY = ("rail_id", "external_id", "study")
SRA = """
    sample_acc experiment_acc submission_acc submission_center submission_lab study_title study_abstract
    study_description experiment_title design_description sample_description library_name library_strategy
    library_source library_selection library_layout paired_nominal_length paired_nominal_stdev
    library_construction_protocol platform_model sample_attributes experiment_attributes spot_length sample_name
    sample_title sample_bases sample_spots run_published size run_total_bases run_total_spots num_reads num_spots
    read_info run_alias run_center_name run_broker_name run_center mesa pubmed_id
"""
RECOUNT_PROJECT = "project organism file_source metadata_source date_processed"
COVERAGE = """
    aligned_reads%.chrm aligned_reads%.chrx aligned_reads%.chry bc_auc.all_reads_all_bases
    bc_auc.all_reads_annotated_bases bc_auc.unique_reads_all_bases bc_auc.unique_reads_annotated_bases bc_auc.all_%
    bc_auc.unique_% bc_frag.count bc_frag.kallisto_count bc_frag.kallisto_mean_length bc_frag.mean_length
    bc_frag.mode_length bc_frag.mode_length_count exon_fc.all_% exon_fc.unique_% exon_fc_count_all.total
    exon_fc_count_all.assigned exon_fc_count_unique.total exon_fc_count_unique.assigned gene_fc.all_% gene_fc.unique_%
    gene_fc_count_all.total gene_fc_count_all.assigned gene_fc_count_unique.total gene_fc_count_unique.assigned
    intron_sum iintron_sum_%
"""
# Each is there as `star.<name>` and as `star.<name>2`.
STAR = """
    %_of_chimeric_reads %_of_reads_mapped_to_multiple_loci %_of_reads_mapped_to_too_many_loci
    %_of_reads_unmapped:_other %_of_reads_unmapped:_too_many_mismatches %_of_reads_unmapped:_too_short
    all_mapped_reads average_input_read_length average_mapped_length deletion_average_length deletion_rate_per_base
    insertion_average_length insertion_rate_per_base mapping_speed,_million_of_reads_per_hour mismatch_rate_per_base,_%
    number_of_chimeric_reads number_of_input_reads number_of_reads_mapped_to_multiple_loci
    number_of_reads_mapped_to_too_many_loci number_of_reads_unmapped:_other
    number_of_reads_unmapped:_too_many_mismatches number_of_reads_unmapped:_too_short number_of_splices:_at/ac
    number_of_splices:_annotated_(sjdb) number_of_splices:_gc/ag number_of_splices:_gt/ag
    number_of_splices:_non-canonical number_of_splices:_total uniquely_mapped_reads_% uniquely_mapped_reads_number
"""
JUNCTIONS = "junction_count junction_coverage junction_avg_coverage"
# Of both together, `star.<name>_both`.
STAR_BOTH = """
    number_of_input_reads all_mapped_reads number_of_chimeric_reads number_of_reads_mapped_to_multiple_loci
    number_of_reads_mapped_to_too_many_loci number_of_reads_unmapped:_other
    number_of_reads_unmapped:_too_many_mismatches number_of_reads_unmapped:_too_short uniquely_mapped_reads_number
    %_mapped_reads %_chimeric_reads %_reads_mapped_to_multiple_loci %_reads_mapped_to_too_many_loci
    %_reads_unmapped:_other %_reads_unmapped:_too_many_mismatches %_reads_unmapped:_too_short uniquely_mapped_reads_%
"""
RECOUNT_QC = (
    *COVERAGE.split(),
    *(f"star.{name}{alignment}" for name in STAR.split() for alignment in ("", "2")),
    *JUNCTIONS.split(),
    *(f"star.{name}_both" for name in STAR_BOTH.split()),
)
RECOUNT_SEQ_QC = "min_len max_len avg_len #distinct_quality_values #bases %A %C %G %T %N avgQ errQ"
RECOUNT_PRED = """
    sample_acc curated.type curated.tissue pattern.predict.type pred.type curated.cell_type curated.cell_line
"""

TABLES = {
    "sra": (*IDENTITY, *SRA.split()),
    "recount_project": (*IDENTITY, *RECOUNT_PROJECT.split()),
    "recount_qc": (*IDENTITY, *RECOUNT_QC),
    "recount_seq_qc": (*IDENTITY, *RECOUNT_SEQ_QC.split()),
    "recount_pred": (*IDENTITY, *RECOUNT_PRED.split()),
}
