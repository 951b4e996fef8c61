# Writes deseq2_expected.tsv: Rscript deseq2.R DATA, with DESeq2 1.38 (Debian's r-bioc-deseq2) and DATA/bulk as in docs/data.md.
suppressMessages(library(DESeq2))
data <- commandArgs(TRUE)[1]
compare <- function(name, counts, about, design, contrast) {
  rownames(about) <- colnames(counts)
  set <- DESeqDataSetFromMatrix(as.matrix(counts), about, design)
  found <- results(DESeq(set, quiet = TRUE), contrast = contrast)
  found <- found[!is.na(found$padj), ]
  result <- data.frame(comparison = name, gene = rownames(found), log2_fold_change = signif(found$log2FoldChange, 6),
                       statistic = signif(found$stat, 6), adjusted_p_value = signif(found$padj, 6))
  result[seq(1, nrow(result), by = 23), ]
}
airway <- read.delim(gzfile(file.path(data, "bulk/human/airway_8/counts.tsv.gz")), row.names = 1, check.names = FALSE)
about <- read.delim(file.path(data, "bulk/human/airway_8/samples.tsv"), stringsAsFactors = TRUE)
about <- about[match(colnames(airway), about$id), ]
mammary <- read.delim(gzfile(file.path(data, "bulk/mouse/GSE60450_mammary/counts.tsv.gz")), row.names = 1,
                      check.names = FALSE)
status <- read.delim(file.path(data, "bulk/mouse/GSE60450_mammary/samples.tsv"), stringsAsFactors = TRUE)
status <- status[match(colnames(mammary), status$sample), ]
later <- function(column) rev(levels(column)[1:2])
write.table(rbind(
  compare("airway, cell lines as blocks", airway, about, ~ celltype + dex, c("dex", later(about$dex))),
  compare("mammary, cell type", mammary, status, ~ cell_type, c("cell_type", later(status$cell_type)))
), "deseq2_expected.tsv", sep = "\t", quote = FALSE, row.names = FALSE)
