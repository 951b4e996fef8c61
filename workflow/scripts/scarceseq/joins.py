"""What is matched by name, counted: how many match, which do not, and which are nearly the same."""

import logging
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from scarceseq.errors import InputError
from scarceseq.user_values import trim

log = logging.getLogger(__name__)

COLUMNS = ["join", "table", "given", "matched", "in_another_case", "not_matched", "examples", "near"]
COLUMNS += ["there", "there_only", "there_examples"]
EXAMPLES = 5
# Least share of the names that match that must do so as they stand. In capitals 73 % of mouse symbols are human ones,
# as they stand 16 of 21,890.
LEAST_AS_THEY_STAND = 0.05
EXCEL_DATE = re.compile(r"\d{1,2}-(Mar|Sep|Dec)|(Mar|Sep|Dec)-\d{2}|\d{4}-\d{2}-\d{2}.*", re.IGNORECASE)


@dataclass(frozen=True)
class Join:
    """Names of a table matched with others.

    Attributes
    ----------
    what, table : str
        Such as ``costs to genes of the graph``; file of the given names.
    pairs : dict of str to str
        Given name to the one that it matches.
    given, there : list of str
        Distinct names of both sides.
    in_another_case : int
        How many match only when case is ignored.
    """

    what: str
    table: str
    pairs: Mapping[str, str]
    given: Sequence[str]
    there: Sequence[str]
    in_another_case: int

    @property
    def unmatched(self) -> list[str]:
        """Given names that match none."""
        return [name for name in self.given if name not in self.pairs]

    @property
    def share(self) -> float:
        """Share that matches, of the smaller side: a table of all genes may serve a list of a few."""
        return min(len(self.pairs) / max(min(len(self.given), len(self.there)), 1), 1.0)

    def near(self) -> list[str]:
        """``given (there)`` of names without a match that are nearly one of the others."""
        plain = {_plain(name): name for name in self.there}
        pairs = [(name, plain.get(_plain(name))) for name in self.unmatched]
        dates = [f"{name} (a date that Excel made of a symbol)" for name, _ in pairs if EXCEL_DATE.fullmatch(name)]
        return [f"{name} ({other})" for name, other in pairs if other is not None] + dates

    def row(self) -> tuple:
        """Values of `COLUMNS`."""
        matched = set(self.pairs.values())
        there = [name for name in self.there if name not in matched]
        counts = len(self.given), len(self.pairs), self.in_another_case, len(self.unmatched)
        texts = _few(self.unmatched), _few(self.near())
        return self.what, self.table, *counts, *texts, len(self.there), len(there), _few(there)


def match_names(
    given: Iterable[str],
    there: Iterable[str],
    what: str,
    table: str,
    others: Mapping[str, Collection[str]] | None = None,
    any_case: bool = True,
) -> Join:
    """Match names: as they stand, by their other names, and, if `any_case`, in any case where only one is meant.

    `what` and `table` are for messages and the table of joins; `others` are what else a given name stands for, such as
    today's symbol of a former one.
    """
    given, there = list(dict.fromkeys(given)), list(dict.fromkeys(there))
    present = set(there)
    pairs = {name: name for name in given if name in present}
    for name in given:
        meant = set((others or {}).get(name, ())) & present
        if name not in pairs and len(meant) == 1:
            pairs[name] = meant.pop()
    before, taken = len(pairs), set(pairs.values())
    if any_case:
        folded = pd.Series(there, index=[name.upper() for name in there], dtype=object)
        folded = folded[~folded.index.duplicated(keep=False)]
        for name in given:
            other = folded.get(name.upper()) if name not in pairs else None
            if other is not None and other not in taken:
                pairs[name] = other
                taken.add(other)
    return Join(what, table, pairs, given, there, len(pairs) - before)


def check_join(join: Join, minimum_share: float = 0.0) -> Join:
    """Log a join; `InputError` for one of which nothing, too little, or nothing but for case matches."""
    about = f"{join.table}: {join.what}"
    near = f"; nearly the same: {_few(join.near())}" if join.near() else ""
    if join.given and not join.pairs:
        raise InputError(
            f"{about}: none of {len(join.given)} names matches, such as {_few(join.unmatched)}; wanted are such as "
            f"{_few(join.there)}{near}"
        )
    as_they_stand = len(join.pairs) - join.in_another_case
    if join.in_another_case and as_they_stand < LEAST_AS_THEY_STAND * len(join.pairs):
        cased = [f"{name} ({other})" for name, other in join.pairs.items() if name != other]
        raise InputError(
            f"{about}: {join.in_another_case} names match only when case is ignored, such as {_few(cased)}; this looks "
            "like a table of another organism. Give one of this organism, or write its names as they are wanted"
        )
    if join.given and join.share < minimum_share:
        raise InputError(
            f"{about}: {len(join.pairs)} of {len(join.given)} names match, a share of {join.share:.2f} of the smaller "
            f"side, under minimum_matched_share {minimum_share}; without a match are such as "
            f"{_few(join.unmatched)}{near}"
        )
    if join.unmatched:
        lost, given, such = len(join.unmatched), len(join.given), _few(join.unmatched)
        log.warning("%s: %d of %d names do not match, such as %s%s", about, lost, given, such, near)
    return join


def joins_table(joins: Iterable[Join]) -> pd.DataFrame:
    """One row for each join, see `COLUMNS`."""
    return pd.DataFrame([join.row() for join in joins], columns=COLUMNS)


def _plain(name: str) -> str:
    """A name without version, blanks, dots, hyphens and case."""
    return re.sub(r"[\s._-]+", "", re.sub(r"\.\d+$", "", trim(name))).upper()


def _few(names: Sequence[str]) -> str:
    return ", ".join(map(str, names[:EXAMPLES])) + (", ..." if len(names) > EXAMPLES else "")
