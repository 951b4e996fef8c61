"""An annotation in recount3's layout out of a table of gene names, where no real one is at hand.

`python benchmarks/tools/named_annotation.py MIRROR ORGANISM ANNOTATION TABLE ID_COLUMN NAME_COLUMN`; the head of
`config/real_studies_human.yaml` has the whole command.

Lengths and types of the genes are not known: all get the same length, so that TPM is CPM, and the type `unknown`. Of an
id that the table has twice the first line counts.
"""

import gzip
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.archive.layout import annotation_path
from scarceseq.files import atomic

LENGTH = 1000
LINE = 'none\tnamed\tgene\t1\t{0}\t{0}\t+\t.\tgene_id "{1}.1"; gene_name "{2}"; gene_type "unknown";\n'


def main(mirror, organism, annotation, table, id_column, name_column):
    """Write the annotation."""
    names = pd.read_csv(table, sep="\t", dtype=str, usecols=[id_column, name_column]).dropna()
    names = names.drop_duplicates(id_column).sort_values(id_column)
    path = Path(mirror) / annotation_path(organism, annotation)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [LINE.format(LENGTH, gene, name) for gene, name in zip(names[id_column], names[name_column], strict=True)]
    with atomic(path) as temporary:
        Path(temporary).write_bytes(gzip.compress("".join(lines).encode(), mtime=0))
    print(f"{len(names)} genes: {path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
