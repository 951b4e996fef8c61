"""Which perturbation each cell belongs to, and which cells are set aside."""

import numpy as np

from scarceseq.screen.conventions import SEPARATORS, is_control


def single_gene_labels(labels, control, exclude):
    """Per cell ``control``, the one perturbed gene, or '' for a cell to set aside.

    A label that joins a gene and the control ('GENE+ctrl') counts as that gene; one that joins several genes is a
    combination.
    """
    known = {}
    for label in set(labels[[isinstance(label, str) for label in labels]]):
        parts = [part.strip() for part in SEPARATORS.split(label) if part.strip() not in ("", control)]
        if label and is_control(label, control):
            known[label] = "control"
        elif label in exclude or len(parts) != 1:
            known[label] = ""
        else:
            known[label] = parts[0]
    return np.array([known.get(label, "") for label in labels], dtype=object)


def drop_small_groups(single, min_cells):
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


def count_set_aside(labels, single, exclude):
    """How many cells have no label, an excluded one, or several perturbed genes.

    Parameters
    ----------
    labels : array of object, shape (cells,)
        As in the file.
    single : array of str, shape (cells,)
        From `single_gene_labels`.
    exclude : list of str
    """
    text = np.array([label if isinstance(label, str) else "" for label in labels], dtype=object)
    excluded = np.isin(text.astype(str), exclude)
    several = (single == "") & (text != "") & ~excluded
    return {
        "cells_without_label": int((text == "").sum()),
        "cells_excluded": int(excluded.sum()),
        "cells_of_combinations": int(several.sum()),
        "combinations": len(set(text[several])),
    }
