"""How public screens name their columns: recognised, so that most files need no mapping in the config."""

import re

import numpy as np
import pandas as pd

from scarceseq.errors import InputError

PERTURBATION_COLUMNS = ("condition", "perturbation", "gene", "target", "target_gene")
"""GEARS, scPerturb, Replogle et al., and what others use; of equal ones the first is taken."""
CONTROLS = ("control", "ctrl", "non-targeting", "non_targeting", "NT", "unperturbed")
SYMBOL_COLUMNS = ("gene_name", "gene_symbol", "gene_symbols", "symbol")
JOINTS = "+,"
"""What joins the genes of a combination."""
ENSEMBL = re.compile(r"ENS[A-Z]*G\d")
PREFIXES = ("sg", "sg_", "sg-", "g", "CRISPRi_", "CRISPRa_")
SEPARATORS_TRIED = ("_", "-", ".", ":", "|", "#", " ", "@", "/")
CONTROL_LIKE = re.compile(
    r"(sg|sg[_-])?(control|ctrl|ctl|non[ _-]?target(ing|ed)?|no[ _-]?target(ing)?|neg(ative)?[ _-]?(control|ctrl)|"
    r"scrambled?|safe[ _-]?(targeting|harbou?r)|unperturbed|untreated|untransduced|mock|wild[ _-]?type|dmso|vehicle|"
    r"parental)s?[ _.-]*\d*|(nt|ntc|neg|wt)([ _.-]+\d+)?",
    re.IGNORECASE,
)
UNASSIGNED = re.compile(
    r"nan|na|n/a|none|null|\*+|\?+|-+|unassigned|unknown|undetermined|ambiguous|doublets?|multiplets?|unmapped|"
    r"(no|not)[ _-]?(guide|assigned|detected)",
    re.IGNORECASE,
)


def looks_like_control(label: str) -> bool:
    """Whether a label seems to name unperturbed cells, or cells of which nothing is known, and no gene."""
    return bool(CONTROL_LIKE.fullmatch(label) or UNASSIGNED.fullmatch(label))


def symbol_column(var: pd.DataFrame, wanted: str | None, path: object) -> str | None:
    """Column of var with gene symbols; None for the index, unless that holds Ensembl ids and a column has symbols."""
    if wanted is not None:
        if wanted not in var:
            raise InputError(f"{path}: var has no column '{wanted}' (gene_symbol_column)")
        return wanted
    ensembl = np.mean([bool(ENSEMBL.match(str(name))) for name in var.index[:1000]]) if len(var) else 0
    named = [name for name in SYMBOL_COLUMNS if name in var]
    return named[0] if ensembl > 0.5 and named else None
