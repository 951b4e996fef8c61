"""Tables of gene-set scores of spaceflight missions: classes, scaling, and what is left out together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scarceseq.errors import InputError

TISSUES = ("liver", "gastrocnemius", "kidney", "thymus", "eye", "skin")
# Left out together: the animals of "TBD" are numbered as those of RR-1; MHU-1 and MHU-2 were scored in one table.
SAME_GROUP = {"TBD": "RR-1", "MHU-1": "MHU-2"}
FLIGHT, CONTROL, NO_CLASS = 1, 0, -1
CLASS_OF_LABEL = {"Flight": FLIGHT, "GC": CONTROL, "VC": CONTROL}
CLASS_OF_CONDITION = {"Space Flight": FLIGHT, "Ground Control": CONTROL}  # where the source gives no label
SHARE_OF_TABLES = 0.8  # that have a gene set, for it to be used


@dataclass(frozen=True)
class Table:
    """One mission's samples of one tissue.

    Attributes
    ----------
    name, tissue, mission, group : str
        Missions of one group are left out together.
    scores : DataFrame, (samples, gene sets)
        Centred and divided by the standard deviation within the table.
    classes : array of int, (samples,)
        `FLIGHT`, `CONTROL` or `NO_CLASS`.
    basal : array of bool, (samples,)
        Animals killed at launch.
    """

    name: str
    tissue: str
    mission: str
    group: str
    scores: pd.DataFrame
    classes: np.ndarray
    basal: np.ndarray

    def values(self, sets: list[str]) -> np.ndarray:
        """Scores of these gene sets, float32; 0, their mean, where the table lacks one."""
        return self.scores.reindex(columns=sets).fillna(0.0).to_numpy(np.float32)


def read_tables(folder: "str | Path") -> list[Table]:
    """All tables below a folder, one `<tissue>_<mission>` each.

    Raises
    ------
    InputError
        If there is none, or one has samples without labels.
    """
    folders = sorted(path.parent for path in Path(folder).glob("*/samples.tsv"))
    if not folders:
        raise InputError(f"{folder}: no tables of gene sets; give the folder that holds liver_RR-1 and others")
    return [read_table_of(path) for path in folders]


def read_table_of(folder: Path) -> Table:
    """One table, scaled; see `Table`."""
    raw = pd.read_csv(folder / "expr.tsv.gz", sep="\t", index_col=0).T
    samples = pd.read_csv(folder / "samples.tsv", sep="\t", index_col=0, dtype=str)
    if sorted(raw.index) != sorted(samples.index):
        raise InputError(f"{folder}: samples.tsv and expr.tsv.gz have different samples; give both the same")
    samples = samples.loc[raw.index]
    labelled = "label" in samples
    classes = samples["label"].map(CLASS_OF_LABEL) if labelled else samples["spaceflight"].map(CLASS_OF_CONDITION)
    classes = classes.fillna(NO_CLASS).to_numpy(int)
    if not {FLIGHT, CONTROL} <= set(classes):
        raise InputError(f"{folder}/samples.tsv: flight or control is missing; both classes are needed")
    scaled = (raw - raw.mean()) / raw.std().where(raw.std() > 0, 1.0)
    tissue, mission = folder.name.split("_")[:2]
    basal = (samples["spaceflight"] == "Basal Control").to_numpy() & (classes == NO_CLASS)
    return Table(folder.name, tissue, mission, SAME_GROUP.get(mission, mission), scaled, classes, basal)


def without(tables: list[Table], groups: "frozenset[str]") -> list[Table]:
    """What may train where these groups are left out."""
    return [table for table in tables if table.group not in groups]


def common_sets(tables: list[Table]) -> list[str]:
    """Gene sets that enough of the tables have, in the order of their names."""
    counts = pd.Series([name for table in tables for name in table.scores.columns]).value_counts()
    return sorted(counts.index[counts >= SHARE_OF_TABLES * len(tables)])


def with_classes(tables: list[Table], sets: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Scores, (samples, gene sets), and classes, (samples,), of all samples that have a class."""
    values = np.concatenate([table.values(sets)[table.classes != NO_CLASS] for table in tables])
    return values, np.concatenate([table.classes[table.classes != NO_CLASS] for table in tables])
