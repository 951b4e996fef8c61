# Writes limma_expected.tsv: Rscript limma.R DATA, with limma 3.54 (Debian's r-bioc-limma) and DATA/bulk as in docs/data.md.
library(limma)
data <- commandArgs(TRUE)[1]
compare <- function(name, counts, design, columns, classes) {
  depth <- colSums(counts)
  least <- 10 / median(depth) * 1e6
  enough <- rowSums(t(t(counts) / depth * 1e6) >= least) >= min(table(classes), 10)
  kept <- enough & rowSums(counts) >= 15
  values <- log2(t(t(counts + 0.5) / (depth + 1)) * 1e6)[kept, ]
  fit <- eBayes(lmFit(values, design))
  top <- topTable(fit, coef = columns, number = Inf, sort.by = "none")
  statistic <- if (length(columns) == 1) top$t else top$F
  change <- if (length(columns) == 1) top$logFC else NA
  result <- data.frame(comparison = name, gene = rownames(values), tested = nrow(values), prior_freedom = fit$df.prior,
                       log2_fold_change = change, statistic = statistic, p_value = top$P.Value,
                       adjusted_p_value = top$adj.P.Val)
  result[seq(1, nrow(result), by = 97), ]
}
airway <- read.delim(gzfile(file.path(data, "bulk/human/airway_8/counts.tsv.gz")), row.names = 1, check.names = FALSE)
about <- read.delim(file.path(data, "bulk/human/airway_8/samples.tsv"))
about <- about[match(colnames(airway), about$id), ]
mammary <- read.delim(gzfile(file.path(data, "bulk/mouse/GSE60450_mammary/counts.tsv.gz")), row.names = 1,
                      check.names = FALSE)
status <- read.delim(file.path(data, "bulk/mouse/GSE60450_mammary/samples.tsv"))
status <- status[match(colnames(mammary), status$sample), ]
write.table(rbind(
  compare("airway, cell lines as blocks", airway, model.matrix(~ dex + celltype, about), 2, about$dex),
  compare("airway", airway, model.matrix(~ dex, about), 2, about$dex),
  compare("mammary, cell type", mammary, model.matrix(~ cell_type, status), 2, status$cell_type),
  compare("mammary, status", mammary, model.matrix(~ status, status), 2:3, status$status)
), "limma_expected.tsv", sep = "\t", quote = FALSE, row.names = FALSE)
