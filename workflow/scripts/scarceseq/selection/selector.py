"""What a selector is, and how one is had by its name."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from scarceseq import registry
from scarceseq.config import selector_names
from scarceseq.selection.evidence import Evidence, Genes, Ranking


class Selector(Protocol):
    """Entry of `scarceseq.selection.selectors`; the constants are literals that the planner reads from the source.

    Some declare more than ``NEEDS``:

    - ``DRAWS = True``: it is nothing but a draw, and so is run several times per split
    - ``START``: it works on a model of what was measured before, and so in rounds: ``bald@gears`` names the model. The
      first round is ranked by the selector of this name
    - ``VARIANTS``: the registry of its variants; its `rank` takes one more argument, ``variant``: what stands behind
      the ``@`` of ``reach@usage``, or nothing
    - ``NAMES_USED``: it, or the variant that says so, looks at the names of genes that it may not choose: ``tests``,
      or ``list`` if it treats all alike. Others are not given them
    """

    @property
    def NEEDS(self) -> tuple[str, ...]:  # noqa: N802
        """What it looks at besides names: ``graph``, one selection graph; ``priors``, the screen's prior graphs.

        One that needs no single graph runs once, under the graph name ``none``.
        """

    def rank(
        self, pool: Genes, evidence: Evidence, budget: int | None = None, labelled: Genes = (), seed: int = 0
    ) -> Ranking:
        """The first `budget` genes of the pool, all of it if None, in the order in which to take them.

        `labelled` are genes measured already, and `seed` is that of what is drawn.
        In one shot a smaller budget gives the beginning of the same ranking; a batch of a round is chosen as a whole.
        The order of `pool` has no influence. The gain is that of each gene when taken, NaN where there is none.
        """


def ranker(name: str) -> Callable[..., Ranking]:
    """`Selector.rank` of a name such as ``degree``, ``bald@gears`` or ``reach@usage``."""
    selector, source = selector_names.parts(name)
    entry = registry.load("selection.selectors", selector)
    return partial(entry.rank, variant=source) if source and not selector_names.in_rounds(selector) else entry.rank


def visible(name: str, tests: Genes) -> tuple[str, ...]:
    """The names of the test genes if a way of choosing says that it uses them, otherwise none."""
    return () if selector_names.names_used(name) == "none" else tuple(tests)
