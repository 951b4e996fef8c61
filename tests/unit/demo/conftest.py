"""Small worlds that the tests of this room share."""

from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from scarceseq.demo.generate import generate_demo
from scarceseq.demo.settings import DemoSettings

TINY = {"studies": 14, "genes": 300, "perturbations": 30, "cells_per_perturbation": 20}


@pytest.fixture(scope="session")
def default_settings():
    """The defaults of the config section `demo`."""
    return asdict(DemoSettings())


@pytest.fixture(scope="session")
def make_demo(default_settings):
    """Function that generates a world into a folder and returns the folder."""

    def make(folder, seed, **settings):
        places = [folder / name for name in ("archive", "screen.h5ad", "annotation.tsv.gz", "truth")]
        generate_demo(*places, settings=default_settings | settings, seed=seed)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny(make_demo, tmp_path_factory):
    """A tiny world."""
    return make_demo(tmp_path_factory.mktemp("tiny"), seed=7, **TINY)


@pytest.fixture(scope="session")
def full(make_demo, tmp_path_factory):
    """The world of the embedded default: its defaults and its seed."""
    seed = yaml.safe_load((Path(__file__).parents[3] / "config/demo.yaml").read_text())["seed"]
    return make_demo(tmp_path_factory.mktemp("full"), seed=seed)


@pytest.fixture(scope="session")
def tiny_settings(default_settings):
    """Settings of the tiny world."""
    return default_settings | TINY


class Mirror:
    """Plain reading of a mirror with pandas alone, independent of the workflow's own parser."""

    def __init__(self, base):
        self.base = Path(base)
        self.home = self.base / "mouse/data_sources/sra"

    def studies(self):
        return sorted(path.name for path in (self.home / "metadata").glob("*/*") if path.is_dir())

    def metadata(self, study, name):
        return read_md(self.home / "metadata" / study[-2:] / study / f"sra.{name}.{study}.MD.gz")

    def sums_path(self, study):
        return self.home / "gene_sums" / study[-2:] / study / f"sra.gene_sums.{study}.M023.gz"

    def sums(self, study):
        import pandas as pd

        return pd.read_csv(self.sums_path(study), sep="\t", skiprows=2, index_col=0)

    def annotation(self):
        import pandas as pd

        path = self.base / "mouse/annotations/gene_sums/mouse.gene_sums.M023.gtf.gz"
        table = pd.read_csv(path, sep="\t", comment="#", header=None, dtype={0: str})
        for key in ("gene_id", "gene_type", "gene_name"):
            table[key] = table[8].str.extract(f'{key} "([^"]+)"')[0]
        return table


def read_md(path):
    """A metadata table as text, as R's reader sees it (no quotes, no comments)."""
    import pandas as pd

    return pd.read_csv(path, sep="\t", quoting=3, dtype=str, keep_default_na=False, na_values=["NA"])


@pytest.fixture(scope="session")
def mirror_of():
    """Function that opens a mirror."""
    return Mirror
