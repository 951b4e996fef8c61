"""Unpack a model that somebody packed, each file checked by its SHA-256."""

import logging
from pathlib import Path

from scarceseq.files import sha256
from scarceseq.guide.content import check_content
from scarceseq.guide.guides import GUIDES
from scarceseq.guide.narrow import widen
from scarceseq.guide.packing import unpack
from scarceseq.runtime import start

start(snakemake.log[0])
folder = Path(snakemake.output[0]).parent
unpack(snakemake.input.packed, folder, [Path(path).name for path in snakemake.output])
for path in snakemake.output:
    if path.endswith(".safetensors") and not path.endswith("sketches.safetensors"):  # sketches have 16 bits in use too
        widen(path)
check_content(folder, [name for name in GUIDES if (folder / f"{name}.safetensors").exists()])
logging.info("%s: SHA-256 %s", snakemake.input.packed, sha256(snakemake.input.packed))
