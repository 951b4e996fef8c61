# Writes camera_expected.tsv: Rscript camera.R, with limma 3.54 (Debian's r-bioc-limma), from the statistics of limma.R's table.
library(limma)
limma <- read.delim("limma_expected.tsv")
values <- limma[limma$comparison == "airway, cell lines as blocks", ]
index <- list(every_third = seq(1, nrow(values), by = 3), first_twenty = 1:20, highest = order(-values$statistic)[1:12],
              lowest = order(values$statistic)[2:9])
result <- cameraPR(values$statistic, index, sort = FALSE)
write.table(data.frame(gene_set = rownames(result), result), "camera_expected.tsv", sep = "\t", quote = FALSE,
            row.names = FALSE)
