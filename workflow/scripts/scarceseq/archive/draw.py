"""Some of many studies, drawn by a hash, so that the draw hardly changes when the archive's list grows."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass

from scarceseq.archive.layout import Study
from scarceseq.seeds import derive


@dataclass(frozen=True)
class Draw:
    """Some studies of many, those whose hash comes first: at most so many studies, and so many runs of them together;
    0 for no limit."""

    studies: int = 0
    runs: int = 0
    seed: int = 0

    def passed_over(self, sizes: Mapping[Study, int]) -> dict[Study, str]:
        """Why studies are not taken, by their numbers of runs; those that are have no entry."""
        if not (self.studies or self.runs):
            return {}
        order = sorted(sizes, key=lambda study: (derive(self.seed, "draw_studies", *astuple(study)), study))
        passed = dict.fromkeys(order[self.studies :] if self.studies else (), "not drawn")
        total = 0
        for place, study in enumerate(order):
            total += sizes[study]
            if self.runs and total > self.runs:
                return passed | {later: f"beyond {self.runs} runs" for later in order[place:] if later not in passed}
        return passed
