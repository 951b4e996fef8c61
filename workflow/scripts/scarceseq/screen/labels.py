"""Which perturbation each cell belongs to, and which cells are set aside."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.errors import InputError
from scarceseq.screen.combinations import combined, genes_of, is_double
from scarceseq.screen.conventions import CONTROLS, JOINTS, PERTURBATION_COLUMNS, looks_like_control
from scarceseq.screen.gene_names import GeneNames
from scarceseq.screen.settings import ScreenSettings, control_names
from scarceseq.screen.underscores import UNDERSCORE, underscored_doubles

SHOWN = 5
"""Examples in a message."""


@dataclass(frozen=True)
class LabelReader:
    """Reads the labels of a file: what is control, what is a gene."""

    genes: GeneNames
    controls: tuple[str, ...]  # labels of unperturbed cells
    exclude: Collection[str]  # labels that are left out
    prefix: str | None = None  # what labels have before a gene's name
    separator: str | None = None  # and behind it
    doubles: bool = False  # whether labels that join two genes are read
    underscored: dict[str, tuple[str, str]] = field(default_factory=dict)  # both genes of labels joined by one

    def with_underscores(self, labels: set[str], path: object) -> "LabelReader":
        """A reader that also reads doubles written with an underscore, where both names are genes or perturbations.

        Where an underscore is the separator, what is behind it says nothing of a gene.
        """
        if not self.doubles or self.separator == UNDERSCORE:
            return self
        candidates = {label for label in labels if self.read(label) not in ("", "control")}
        alone = {label for label in candidates if not is_double(self.read(label)) and UNDERSCORE not in label}

        def named(name: str) -> str | None:
            gene = self._cut(name)
            return self.genes.find(gene) or (gene if name in alone else None)

        written = {label for label in candidates if len(self.names(label)) == 1}
        return replace(self, underscored=underscored_doubles(written, named, path))

    def names(self, label: str) -> list[str]:
        """Genes and controls that a label joins, cut out of prefix and suffix, as the label writes them."""
        if label in self.underscored:
            return [self._cut(name) for name in self.underscored[label]]
        joints = "".join(joint for joint in JOINTS if joint not in (self.separator or ""))
        pieces = label.translate(str.maketrans(joints, "\n" * len(joints))).split("\n")
        return [self._cut(piece.strip()) for piece in pieces if piece.strip()]

    def _cut(self, name: str) -> str:
        if name in self.controls:
            return name
        name = name.removeprefix(self.prefix or "")
        words = name.split(self.separator) if self.separator else [name]
        heads = [self.separator.join(words[:count]) for count in range(len(words), 0, -1)] if self.separator else words
        control = next((head for head in heads if head in self.controls), None)
        return control or self.genes.head(name, self.separator)

    def read(self, label: str) -> str:
        """``control``, the perturbed gene, or two, as the label writes them, or '' for a label to set aside."""
        if self.excluded(label):
            return ""
        names = self.names(label)
        perturbed = [name for name in names if name not in self.controls]
        if label.strip() in self.controls or (names and not perturbed):
            return "control"
        several = self.doubles and len(set(perturbed)) == 2 == len(perturbed)
        return combined(perturbed) if several or len(perturbed) == 1 else ""

    def symbols(self, role: str) -> str:
        """What `read` gives with the symbols of the file's genes; a name that is none of them stays as it is."""
        return combined(self.genes.find(gene) or gene for gene in genes_of(role))

    def excluded(self, label: str) -> bool:
        """Whether a label is left out by name, as it is written or as it reads without prefix and suffix."""
        return label.strip() in self.exclude or self.names(label) in [[name] for name in self.exclude]


def perturbed_genes(roles: Iterable[str]) -> set[str]:
    """Genes of single and double perturbations, without control and what is set aside."""
    return {gene for role in set(roles) - {"", "control"} for gene in genes_of(role)}


def text_labels(column: pd.Series) -> set[str]:
    """Distinct labels of a column; cells without one have none."""
    return {label for label in pd.unique(column.astype(object)) if isinstance(label, str) and label.strip()}


def find_labels(obs: pd.DataFrame, genes: GeneNames, settings: ScreenSettings, path: object) -> tuple[str, LabelReader]:
    """The column of obs with the perturbations, and a reader of its labels.

    A column that the config names is taken. Else it is that whose labels are genes, and of equal ones the first of
    those that public screens use; it must hold a control.

    Raises
    ------
    InputError
        If a named column is missing, or none has a control among its labels.
    """
    wanted, named = settings.perturbation_column, tuple(control_names(settings.control))
    columns = ", ".join(map(str, obs.columns))
    cut = (settings.label_prefix, settings.label_separator)
    if wanted is not None and wanted not in obs:
        raise InputError(f"{path}: obs has no column '{wanted}' (perturbation_column); it has {columns}")
    usual = [name for name in PERTURBATION_COLUMNS if name in obs]
    others = [name for name in obs if name not in usual and obs[name].dtype.kind not in "iufbmM"]
    best: tuple[tuple[bool, float], str, LabelReader] | None = None
    for column in [wanted] if wanted is not None else [*usual, *others]:
        labels = text_labels(obs[column])
        unusual = wanted is None and column in others
        if unusual and len(labels) > len(obs) // 4:  # names of cells
            continue
        reader = LabelReader(genes, named or CONTROLS, settings.exclude, *cut, settings.doubles)
        roles = {label: reader.read(label) for label in labels}
        if "control" not in roles.values():
            continue
        share = genes.share(perturbed_genes(roles.values()))
        if unusual and share < 0.5:
            continue
        rank = (column in usual and share >= 0.5, share)
        if best is None or rank > best[0]:
            best = (rank, str(column), reader)
    if best is not None:
        return best[1], best[2].with_underscores(text_labels(obs[best[1]]), path)
    if named and wanted is not None:
        shown = "', '".join(named)
        raise InputError(f"{path}: no cell has the control label '{shown}'; check the screen's key control")
    raise InputError(
        f"{path}: no column of obs was recognised as the perturbation with a control among its labels; "
        f"set perturbation_column and control (obs has {columns})"
    )


def check_controls(labels: set[str], reader: LabelReader, listed: bool, path: object) -> None:
    """Raise `InputError` for labels that look like controls and are neither listed as such nor set aside by name.

    Labels are of the cells that are used; `listed` is whether the config names the controls.
    """
    roles = {label: reader.read(label) for label in labels}
    taken = sorted({name for label in labels if roles[label] == "control" for name in reader.names(label)})
    odd = sorted(
        label
        for label, role in roles.items()
        if role not in ("", "control") and looks_like_control(role) and reader.genes.find(role) is None
    )
    if not odd and (listed or len(taken) < 2):
        return
    names = [*taken, *odd]
    shown = ", ".join(f"'{name}'" for name in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    raise InputError(
        f"{path}: several labels look like controls or like cells without a guide: {shown}. List those that are "
        f"controls in the screen's key control, such as control: [{', '.join(map(repr, names[:2]))}], and the others "
        "in exclude"
    )


def read_labels(labels: np.ndarray, reader: LabelReader) -> np.ndarray:
    """Per cell ``control``, the symbol of the perturbed gene, or of two, or '' for a cell to set aside.

    A label that joins a gene and the control ('GENE+ctrl') counts as that gene; one that joins several genes is a
    combination, read where the reader reads doubles. A name that is no gene of the file stays as it is.
    """
    roles: dict[Any, str] = {}
    for label in {label for label in labels if isinstance(label, str)}:
        role = reader.read(label)
        roles[label] = role if role in ("", "control") else reader.symbols(role)
    return np.array([roles.get(label, "") for label in labels], dtype=object)


def count_genes(labels: np.ndarray, single: np.ndarray, genes: GeneNames, least: float, path: object) -> dict[str, Any]:
    """How many perturbations name a gene of the file, how many labels (guides) they have, and which name none.

    For each cell there are its label, as in the file, and what `read_labels` gives.

    Raises
    ------
    InputError
        If a share of less than `least` does; the message shows some, and the keys by which more would.
    """
    used = (single != "") & (single != "control")
    pairs = pd.DataFrame({"label": labels[used].astype(str), "gene": single[used].astype(str)}).drop_duplicates()
    names = sorted(perturbed_genes(pairs["gene"]))
    strange = [name for name in names if genes.find(name) is None]
    if names and 1 - len(strange) / len(names) < least:
        odd = [not set(strange).isdisjoint(genes_of(name)) for name in pairs["gene"]]
        written = sorted(pairs.loc[odd, "label"])
        remedy = genes.suggest(written)
        advice = f"set {remedy}" if remedy else "check perturbation_column, gene_symbol_column, label_separator"
        raise InputError(
            f"{path}: {len(strange)} of {len(names)} perturbations name no gene of the file, such as "
            f"{', '.join(written[:SHOWN])}; {advice}, or lower minimum_matched_share where the genes of the file are a "
            "selection"
        )
    return {
        "labels": len(pairs),
        "labels_per_perturbation": int(pairs["gene"].value_counts().max()) if len(pairs) else 0,
        "perturbations_without_gene": len(strange),
        "without_gene": strange[:20],
    }


def drop_small_groups(single: np.ndarray, min_cells: int) -> tuple[np.ndarray, dict[str, int]]:
    """Labels with '' for perturbations of fewer than `min_cells` cells, and how many those are."""
    names, counts = np.unique(single.astype(str), return_counts=True)
    small = {
        name for name, count in zip(names, counts, strict=True) if count < min_cells and name not in ("", "control")
    }
    kept = np.array(["" if label in small else label for label in single], dtype=object)
    return kept, {
        "perturbations": len(set(kept) - {"", "control"}),
        "perturbations_with_few_cells": len(small),
        "cells_of_small_perturbations": int(sum(counts[np.isin(names, list(small))])),
    }


def count_set_aside(labels: np.ndarray, single: np.ndarray, reader: LabelReader) -> dict[str, int]:
    """How many cells have no label, an excluded one, or several perturbed genes, from the arrays of `count_genes`."""
    text = np.array([label if isinstance(label, str) else "" for label in labels], dtype=object)
    excluded = np.isin(text.astype(str), [label for label in set(text) if label and reader.excluded(label)])
    several = (single == "") & (text != "") & ~excluded
    return {
        "cells_without_label": int((text == "").sum()),
        "cells_excluded": int(excluded.sum()),
        "cells_of_combinations": int(several.sum()),
        "combinations": len(set(text[several])),
    }
