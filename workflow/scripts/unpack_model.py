"""Unpack a model that somebody packed, each file checked by its SHA-256."""

import logging
from pathlib import Path

from scarceseq.files import sha256
from scarceseq.guide.packing import unpack
from scarceseq.runtime import start

start(snakemake.log[0])
unpack(snakemake.input.packed, Path(snakemake.output[0]).parent, [Path(path).name for path in snakemake.output])
logging.info("%s: SHA-256 %s", snakemake.input.packed, sha256(snakemake.input.packed))
