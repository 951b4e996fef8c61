"""What authors write of tissue, sex and strain, brought to terms that studies share."""

import csv
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from scarceseq.errors import InputError
from scarceseq.user_tables import read_columns

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).with_suffix(".tsv")
COLUMNS = ["attribute", "kind", "written", "term"]
KINDS = ("key", "value", "qualifier")
USE_COLUMNS = ["attribute", "key", "written", "term", "samples", "studies"]
SUFFIX = "_term"
"""Behind an attribute's name: the key under which its terms are."""
# Between values on which the runs of a sample disagree.
BETWEEN = "|"


@dataclass(frozen=True)
class Vocabulary:
    """Spellings of one attribute; all texts are `plain`."""

    keys: dict[str, int]  # that authors use, to the place in the order of precedence
    terms: dict[str, str]  # of each spelling; empty if it says nothing
    qualifiers: re.Pattern[str] | None  # words that may be left away

    def term(self, written: str) -> str | None:
        """Term of what is written; empty if it says nothing, None if it is not in the vocabulary.

        Tried are the text, the text without qualifiers, and that without a final s. Of several values
        (``liver|Liver``) all must have one term.
        """
        terms = {self._term_of_one(plain(piece)) for piece in written.split(BETWEEN)}
        return terms.pop() if len(terms) == 1 else None

    def _term_of_one(self, text: str) -> str | None:
        bare = " ".join(self.qualifiers.sub(" ", text).split()) if self.qualifiers else text
        for form in (text, bare, bare.removesuffix("s")):
            if form in self.terms:
                return self.terms[form]
        return "" if not text else None


def plain(text: str) -> str:
    """Lower case, with one blank for whatever is neither a letter nor a digit."""
    return " ".join(re.sub(r"[\W_]+", " ", text.lower()).split())


def read_vocabulary(attributes: Iterable[str], table: str | Path | None = None) -> dict[str, Vocabulary]:
    """Vocabularies of some attributes.

    A user's `table` has rows in the form of the shipped one (`COLUMNS`), which come before it: their keys have
    precedence, and their terms replace those of the same spellings. Raises InputError if a row is of no known kind, or
    no row is of an attribute.
    """
    tables = [read_columns(table, COLUMNS), _shipped()] if table else [_shipped()]
    for path, rows in zip([table, SHIPPED][-len(tables) :], tables, strict=True):
        odd = rows[~rows["kind"].isin(KINDS) | (rows["written"].map(plain) == "") | (rows["attribute"] == "")]
        if len(odd):
            row = odd.iloc[0]
            raise InputError(
                f"{path}: the row '{row['attribute']}, {row['kind']}, {row['written']}' needs an attribute, a kind "
                f"({', '.join(KINDS)}) and something written"
            )
    rows = pd.concat(tables).assign(plain=lambda table: table["written"].map(plain))
    rows = rows.drop_duplicates(["attribute", "kind", "plain"])
    vocabularies = {}
    for name in attributes:
        of_name = rows[rows["attribute"] == name]
        keys, values, qualifiers = (of_name[of_name["kind"] == kind] for kind in KINDS)
        if keys.empty or values.empty:
            there = ", ".join(sorted(rows["attribute"].unique()))
            raise InputError(
                f"config key corpus.vocabulary.attributes: no table has keys and values of '{name}'; there are {there}"
            )
        words = "|".join(sorted(map(re.escape, qualifiers["plain"]), key=len, reverse=True))
        vocabularies[name] = Vocabulary(
            {key: place for place, key in enumerate(keys["plain"])},
            dict(zip(values["plain"], values["term"], strict=True)),
            re.compile(rf"\b(?:{words})\b") if words else None,
        )
    return vocabularies


def _shipped() -> pd.DataFrame:
    with SHIPPED.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t"))
    return pd.DataFrame(rows)[COLUMNS]


class Terms:
    """Terms of samples, gathered while their attributes are read."""

    def __init__(self, vocabularies: dict[str, Vocabulary]) -> None:
        self.vocabularies = vocabularies
        self._asked: dict[str, list[tuple[str, int]]] = {}
        for name, vocabulary in vocabularies.items():
            for key, place in vocabulary.keys.items():
                self._asked.setdefault(key, []).append((name, place))
        self._keys: dict[str, list[tuple[str, int]]] = {}
        self._terms: dict[tuple[str, str], str | None] = {}
        # Of each attribute, what each sample has: place of the key, key, what is written.
        self._chosen: dict[str, dict[str, tuple[int, str, str]]] = {name: {} for name in vocabularies}

    @property
    def made(self) -> list[str]:
        """Keys that are made here."""
        return [name + SUFFIX for name in self.vocabularies]

    def add(self, samples: Sequence[str], keys: Sequence[str], values: Sequence[str | None]) -> None:
        """Take rows of attributes in; the first key in the order of precedence that says something counts."""
        for sample, key, value in zip(samples, keys, values, strict=True):
            asked = self._keys.get(key)
            if asked is None:
                asked = self._keys[key] = self._asked.get(plain(key), [])
            for name, place in asked:
                chosen = self._chosen[name]
                if not value or self._term(name, value) == "":
                    continue
                if (place, key) < chosen.get(sample, (len(self._asked), ""))[:2]:
                    chosen[sample] = (place, key, value)

    def _term(self, name: str, value: str) -> str | None:
        if (name, value) not in self._terms:
            self._terms[name, value] = self.vocabularies[name].term(value)
        return self._terms[name, value]

    def rows(self) -> list[tuple[str, str, str]]:
        """(sample, key, term) of every sample that has a term."""
        terms = (
            (sample, name + SUFFIX, self._term(name, value))
            for name, chosen in self._chosen.items()
            for sample, (_, _, value) in chosen.items()
        )
        return [(sample, key, term) for sample, key, term in terms if term]

    def use(self, samples: pd.DataFrame) -> pd.DataFrame:
        """How often each spelling is used, `USE_COLUMNS`, most samples first; logs what is left over, without a term.

        `samples` has sample, study.
        """
        study = dict(zip(samples["sample"].astype(str), samples["study"].astype(str), strict=True))
        rows = [
            (name, key, value, self._term(name, value) or "", sample, study.get(sample, ""))
            for name, chosen in self._chosen.items()
            for sample, (_, key, value) in chosen.items()
        ]
        table = pd.DataFrame(rows, columns=["attribute", "key", "written", "term", "sample", "study"])
        table = table.groupby(["attribute", "key", "written", "term"], as_index=False).agg(
            samples=("sample", "size"), studies=("study", "nunique")
        )
        order = ["attribute", "samples", "written", "key"]
        table = table.sort_values(order, ascending=[True, False, True, True], ignore_index=True)
        for name in self.vocabularies:
            of_name = table[table["attribute"] == name]
            over = of_name[of_name["term"] == ""]
            left = over["samples"].sum()
            examples = "".join(f"; {row.written} ({row.samples})" for row in over.head(5).itertuples())
            log.info(
                "%s: %d of %d samples have a term; %d spellings of %d samples are left over%s",
                *(name, of_name["samples"].sum() - left, len(samples), len(over), left, examples),
            )
        return table[USE_COLUMNS]
