"""An annotation in recount3's layout of the genes that all of some tables have, where a real one is not at hand.

`python benchmarks/tools/shared_annotation.py MIRROR ANNOTATION TABLE TABLE ...`; the head of `config/real_human.yaml`
has the whole command.

Lengths and types of the genes are not known: all get the same length, so that TPM is CPM over these genes, and the type
`unknown`. That puts a table from which genes were filtered on one scale with the others, at the price of the genes.
"""

import gzip
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from scarceseq.archive.layout import annotation_path
from scarceseq.files import atomic

LENGTH = 1000


def genes_of(path):
    """Ids of a table's genes without versions, those that occur once."""
    ids = pd.read_csv(path, sep="\t", usecols=[0], dtype=str).iloc[:, 0].str.split(".").str[0]
    return set(ids[~ids.duplicated(keep=False)])


def main(mirror, annotation, *tables):
    """Write the annotation and the list of sources that a mirror begins with."""
    genes = sorted(set.intersection(*(genes_of(table) for table in tables)))
    path = Path(mirror) / annotation_path("human", annotation)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = 'none\tshared\tgene\t1\t{0}\t{0}\t+\t.\tgene_id "{1}.1"; gene_name "{1}"; gene_type "unknown";\n'
    with atomic(path) as temporary:
        text = "".join(line.format(LENGTH, gene) for gene in genes)
        Path(temporary).write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(genes)} genes that all of {len(tables)} tables have: {path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
