"""Gene symbols brought up to date, so that screens, graphs and corpus name a gene alike.

Screens of 2016 say AARS, annotations of today AARS1: without this, the genes renamed in between (all tRNA synthetases
among them) would have no neighbours.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scarceseq.errors import InputError
from scarceseq.screen.settings import ScreenSettings
from scarceseq.user_tables import read_columns


def current_symbols(path: str | Path | None, settings: ScreenSettings) -> dict[str, str]:
    """Today's symbol of each symbol that is none any more, from a table with a row per gene; empty for no path.

    Symbols that a gene bears today are not among them, nor those that several genes bore. Empty cells of the table are
    left out; the settings name the columns of the former and of today's symbol.
    """
    if not path:
        return {}
    table = read_columns(path, [settings.old_symbol_column, settings.new_symbol_column])
    table.columns = ["old", "new"]
    table = table[(table["old"] != "") & (table["new"] != "")].drop_duplicates()
    changed = table[~table["old"].isin(set(table["new"])) & ~table["old"].duplicated(keep=False)]
    if changed.empty:
        columns = f"'{settings.old_symbol_column}' and '{settings.new_symbol_column}'"
        raise InputError(f"{path}: no gene has another symbol today than before; check the columns {columns}")
    return dict(zip(changed["old"], changed["new"], strict=True))


def up_to_date(names: Sequence[str] | np.ndarray, current: dict[str, str]) -> tuple[list[str], int]:
    """Names with today's symbols, and how many changed."""
    renamed = [current.get(name, name) for name in names]
    return renamed, sum(old != new for old, new in zip(names, renamed, strict=True))
