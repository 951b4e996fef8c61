"""What a kind of gene graph is."""

from typing import Any, Protocol

import pandas as pd


class Kind(Protocol):
    """Entry of `scarceseq.network.kinds`, found by the graph's config key ``kind``; the constants are literals."""

    @property
    def INPUTS(self) -> tuple[str, ...]:  # noqa: N802
        """Names of the input files it reads, keys of the dictionary given to `build`."""

    @property
    def KEYS(self) -> tuple[str, ...]:  # noqa: N802
        """Config keys it uses besides ``kind`` and ``genes``."""

    def build(self, settings: dict[str, Any], inputs: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Edges (source, target: gene symbols; weight in (0, 1]), and counts worth keeping.

        `settings` hold `KEYS` and ``seed``, `inputs` the files `INPUTS` and, where the kind looks at it,
        ``restriction``, a list of genes to keep.
        """
