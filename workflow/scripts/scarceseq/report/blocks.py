"""What a page is made of: sections of paragraphs, figures and tables."""

from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd
from matplotlib.figure import Figure

from scarceseq.statistics.cards import Card
from scarceseq.statistics.writer import Contrast


@dataclass(frozen=True)
class Paragraph:
    """A plain sentence or two; `tone` is 'plain', 'finding' (a conclusion) or 'warning'."""

    text: str
    tone: str = "plain"
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Picture:
    """A figure with its caption.

    `name`: file name without suffix, unique on the page. `title`, `reading`, `count`, `caution`: what it shows; how to
    read it; how many observations; what would make it wrong. `folded`: the page opens it only on demand.
    """

    name: str
    figure: Figure
    title: str
    reading: str
    count: str
    caution: str
    folded: bool = False
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Table:
    """A table: printed rounded, written in full precision.

    `name`: file name without suffix, unique on the page. `frame`: the complete table, as written to the file. `title`,
    `note`: what it holds, and how to read it. `shown`: the rows or arrangement that the page prints, if not the whole.
    `folded`: the page opens it only on demand.
    """

    name: str
    frame: pd.DataFrame
    title: str
    note: str = ""
    shown: pd.DataFrame | None = None
    folded: bool = True
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Question:
    """A card, the section that it links to, what it draws if not one interval, and pooled comparisons behind it.

    `curves`: lines (x, y) of a small curve, the answer's first. `compared`: what is pooled, and whether it was asked
    beforehand.
    """

    card: Card
    section: str
    curves: list = field(default_factory=list)
    compared: list[tuple[Contrast, bool]] = field(default_factory=list)


@dataclass(frozen=True)
class Cards:
    """The first screen: a card for each question, see `scarceseq.report.answers`."""

    questions: list[Question]
    kind: ClassVar[str] = "cards"


Block = Paragraph | Picture | Table | Cards


@dataclass(frozen=True)
class Section:
    """One stage of the page."""

    key: str
    title: str
    blocks: list[Block]
