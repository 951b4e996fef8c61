"""Which gene of a file a name stands for: its symbol, in another case, its Ensembl id, or a former symbol."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from scarceseq.screen.conventions import ENSEMBL, PREFIXES, SEPARATORS_TRIED


class GeneNames:
    """The genes of a file, of table `var`, by all names that it has for them.

    Symbols are of each gene; `current` has today's symbols of renamed genes.
    """

    def __init__(self, var: pd.DataFrame, symbols: Iterable[str], current: dict[str, str]) -> None:
        names = [str(name) for name in symbols]
        self._names = {name: name for name in names}
        for former, today in current.items():
            self._names.setdefault(former, today)
            self._names.setdefault(today, today)
        columns = [var.index, *(var[name] for name in var if var[name].dtype.kind in "OSU")]
        for column in columns:
            for identifier, name in zip(column, names, strict=True):
                if isinstance(identifier, str) and ENSEMBL.match(identifier):
                    self._names.setdefault(identifier, name)
                    self._names.setdefault(identifier.split(".")[0], name)
        upper = Counter(name.upper() for name in set(names))
        self._upper = {name.upper(): name for name in names if upper[name.upper()] == 1}

    def find(self, name: str) -> str | None:
        """The symbol of the gene, None if no gene has this name."""
        exact = self._names.get(name) or self._names.get(name.split(".")[0] if ENSEMBL.match(name) else name)
        return exact or self._upper.get(name.upper())

    def share(self, names: Iterable[str]) -> float:
        """Share of some names that are genes; 0 of none."""
        matched = [self.find(name) is not None for name in names]
        return float(np.mean(matched)) if matched else 0.0

    def suggest(self, names: list[str]) -> str:
        """The keys by which most of some names would be genes, as text; empty if there are none."""
        for prefix in ("", *PREFIXES):
            cut = [name.removeprefix(prefix) for name in names]
            for separator in ("", *SEPARATORS_TRIED):
                heads = [self.head(name, separator) for name in cut]
                if self.share(heads) >= 0.5:
                    keys = {"label_prefix": prefix, "label_separator": separator}
                    return ", ".join(f'{key}: "{value}"' for key, value in keys.items() if value)
        return ""

    def head(self, name: str, separator: str | None) -> str:
        """The text before a separator: the longest that is a gene, else that before the first one."""
        if not separator or separator not in name or self.find(name) is not None:
            return name
        words = name.split(separator)
        heads = [separator.join(words[:count]) for count in range(len(words) - 1, 0, -1)]
        return next((head for head in heads if self.find(head) is not None), heads[-1])
