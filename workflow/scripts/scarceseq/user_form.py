"""What separates the cells of a user's table, and which line is its header; what can be read in two ways is refused."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from scarceseq.errors import InputError
from scarceseq.user_values import BLANKS, NUMBER, trim, unquoted

STRONG = "\t,;"
NAMES = {"\t": "tabs", ",": "commas", ";": "semicolons", " ": "blanks"}
# Names of a column of names. R writes none above the names of rows, so that such a name there tells of another defect.
ROW_NAMES = re.compile(
    r"gene|symbol|ensembl|entrez|refseq|feature|probe|transcript|accession|locus|hgnc|mgi|"
    r"(^|[^a-z])(ids?|names?|keys?|index|rows?|tags?|target|orf|tracking|sample|samples|run|unnamed)([^a-z]|$)",
    re.IGNORECASE,
)
GENE_ID = re.compile(r"ENS[A-Z]*[GT]\d{6,}|N_(unmapped|multimapping|noFeature|ambiguous)$|__\w+$")
UNNAMED = re.compile(r"Unnamed: \d+$")


class StrayQuoteError(ValueError):
    """A quote is opened at the beginning of a cell and does not close at its end."""


@dataclass(frozen=True)
class Form:
    """How the lines of a table are to be read.

    Attributes
    ----------
    separator : str
        Tab, comma, semicolon, a blank (any number of them), or nothing for a table of one column.
    cells : int
        Of each row: one more than the header has if rows begin with a name, as R writes them, or end with a separator.
    first_row : int
        Line of the first row, counted from 0.
    """

    separator: str
    header: list[str]
    cells: int
    first_row: int


def is_blank(line: str) -> bool:
    """Whether no cell of a line says anything."""
    return not line.strip(BLANKS + ',;"')


def splitter(separator: str) -> Callable[[str], list[str]]:
    """Function that makes cells of a line.

    Between tabs a quote is text unless it encloses the whole cell. Elsewhere a cell may be in quotes, which are doubled
    within; a cell that begins with a quote and is not closed raises `StrayQuoteError`. No cell goes on in another line.
    """
    if separator in ("", "\t"):
        return lambda line: [_clean(cell) for cell in (line.split("\t") if separator else [line])]
    around = re.escape(BLANKS.replace("\t", "")) if separator != " " else ""
    end = re.escape(separator) if separator != " " else r"[ \t]+"
    inside = rf"[^{re.escape(separator)}]*" if separator != " " else r"[^ \t]*"
    before = f"[{around}]*+" if around else ""
    cell = re.compile(rf'{before}(?:"((?:[^"]|"")*)"(?={before}(?:{end}|$)){before}|((?!"){inside}))({end}|$)')

    def split(line: str) -> list[str]:
        line = trim(line) if separator == " " else line
        if '"' not in line:
            return [trim(text) for text in (re.split(end, line) if separator == " " else line.split(separator))]
        cells, place, ended = [], 0, False
        while not ended:
            match = cell.match(line, place)
            if match is None:
                raise StrayQuoteError(line[place : place + 30])
            quoted, plain, mark = match.groups()
            cells.append(trim(plain if quoted is None else quoted.replace('""', '"')))
            place, ended = match.end(), not mark
        return cells

    return split


def _clean(cell: str) -> str:
    return trim(unquoted(trim(cell)))


def find_form(
    lines: Sequence[str], origin: str, columns: Sequence[str] = (), row_names: bool = False, names: Iterable[str] = ()
) -> Form:
    """Form of a table, from its first lines.

    Parameters
    ----------
    columns : list of str
        That the table must have.
    row_names : bool
        Whether the first column names the rows and R's short header may stand above it.
    names : iterable of str
        What the columns may be called, if anything says so: samples that have a label.

    Raises
    ------
    InputError
        If the lines do not agree with the header, or more than one reading does.
    """
    start = next((at for at, line in enumerate(lines) if not is_blank(line) and not line.startswith("#")), None)
    if start is None:
        raise InputError(f"{origin} has no rows")
    directive = re.fullmatch(r'"?sep=(.)"?', lines[start])
    if directive:
        start += 1
    rows = [(at, line) for at, line in enumerate(lines) if at > start and not is_blank(line)]
    rows = [row for row in rows if not row[1].startswith("#")] or rows
    hashed = _hashed_form(lines[:start], [(start, lines[start]), *rows])
    if hashed and not directive and _hashed_is_header(hashed, lines[start], columns):
        return hashed
    form = _plain_form(lines[start], rows, start, origin, columns, directive and directive.group(1))
    _check_header(form, [line for _, line in rows], origin, row_names, set(names))
    return form


def _fitting(separator: str, line: str, rows: Sequence[tuple[int, str]], start: int) -> tuple[Form | None, str]:
    """The form by one separator if all rows agree with the header; otherwise why they do not."""
    split = splitter(separator)
    at = start
    try:
        header = split(line)
        counts = []
        for at, row in rows:  # noqa: B007
            counts.append(len(split(row)))
    except StrayQuoteError as error:
        return None, f"line {at + 1} opens a quote that its cell does not close ({error}): remove or double the quote"
    while len(header) > max(counts, default=1) and not header[-1]:
        header.pop()
    width = counts[0] if counts else len(header)
    if set(counts) - {width} or width not in (len(header), len(header) + 1):
        bad = next((k for k, count in enumerate(counts) if count != len(header)), 0)
        why = f"line {rows[bad][0] + 1} has {counts[bad]} cells between {NAMES.get(separator, 'separators')}"
        return None, f"{why}, the header (line {start + 1}) has {len(header)}: mend the line, or begin a remark with #"
    return Form(separator, header, width, start + 1), ""


def _separators(line: str) -> list[str]:
    """Separators that a line has outside quoted cells."""
    bare = re.sub(r'(^|[\t,; ])"([^"]|"")*"(?=[\t,; ]|$)', r"\1", line)
    return [mark for mark in STRONG if mark in bare] or [" "] * bool(re.search(r"\S\s+\S", trim(line)))


def _hashed_form(above: Sequence[str], rows: Sequence[tuple[int, str]]) -> Form | None:
    """Form by the remark just above the table, if it has as many cells as each row."""
    above = [line for line in above if not is_blank(line)]
    if not above or not above[-1].startswith("#"):
        return None
    line = above[-1].lstrip("#")
    for separator in _separators(line):
        form, _ = _fitting(separator, line, rows, rows[0][0] - 1)
        if form and form.cells == len(form.header) > 1:
            return form
    return None


def _hashed_is_header(hashed: Form, line: str, columns: Sequence[str]) -> bool:
    """Whether the remark is the header, and not the line below it."""
    try:
        below = splitter(hashed.separator)(line)
    except StrayQuoteError:
        return False
    if columns:
        return not has_columns(below, columns) and has_columns(hashed.header, columns)
    return looks_like_data(below)


def has_columns(header: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether a header has all columns; a ``#`` before a name does not count."""
    return {name.lstrip("#") for name in columns} <= {name.lstrip("#") for name in header}


def _plain_form(
    line: str, rows: Sequence[tuple[int, str]], start: int, origin: str, columns: Sequence[str], directive: str | None
) -> Form:
    """Form by the first line that is no remark."""
    marks = [directive] if directive else _separators(line) or [""]
    forms = {mark: _fitting(mark, line, rows, start) for mark in marks}
    fitting = [form for form, _ in forms.values() if form]
    wanted = [form for form in fitting if columns and has_columns(form.header, columns)]
    fitting = wanted or fitting
    exact = [form for form in fitting if form.cells == len(form.header)]
    fitting = exact if len(fitting) > 1 and exact and marks[0] != "\t" else fitting
    if len(fitting) > 1:
        both = " or ".join(NAMES[form.separator] for form in fitting)
        raise InputError(f"{origin} can be read by {both}: write the table with one of them and without the other")
    if not fitting or (marks[0] == "\t" and fitting[0].separator != "\t" and not wanted):
        raise InputError(f"{origin}: {forms[marks[0]][1]}")
    weaker = {"": _separators, " ": lambda row: "\t" in trim(row)}.get(fitting[0].separator, lambda row: False)
    if any(weaker(row) for _, row in rows):
        at = next(at for at, row in rows if weaker(row))
        raise InputError(
            f"{origin}: line {at + 1} has several cells, the header (line {start + 1}) '{trim(line)[:60]}' has one: "
            "begin a title or remark with #, and separate the header's names as the rows are"
        )
    return fitting[0]


def looks_like_data(cells: Sequence[str]) -> bool:
    """Whether what stands where the header is wanted is a row: a gene id first, or mostly numbers."""
    if GENE_ID.match(cells[0]):
        return True
    numeric = [bool(re.match(NUMBER, cell)) for cell in cells[1:]]
    return bool(numeric) and 2 * sum(numeric) >= len(numeric) and bool(cells[0]) and not ROW_NAMES.search(cells[0])


def _check_header(form: Form, rows: Sequence[str], origin: str, row_names: bool, names: set[str]) -> None:
    """Refuse a header that is no header, or one name short for another reason than R's."""
    header = form.header
    if looks_like_data(header) and not names.intersection(header):
        raise InputError(
            f"{origin}: the header (line {form.first_row}) looks like data: {', '.join(header[:4])}, ...: put a line "
            "of names above it, the first such as gene_id"
        )
    if form.cells == len(header):
        return
    ends = all(not splitter(form.separator)(row)[-1] for row in rows)
    if ends and ROW_NAMES.search(header[0]):
        return
    if not row_names or not _is_sample(header, names) or ends:
        raise InputError(
            f"{origin}: the header has {len(header)} names, each row {form.cells} cells; its first name is "
            f"'{header[0]}'. R leaves out the name above the names of rows alone; here a name is missing, or two ran "
            "together: mend the header"
        )


def _is_sample(header: Sequence[str], names: set[str]) -> bool:
    """Whether the first name of a header is one of a sample as the others are."""
    if names:
        return header[0] in names or not (names & set(header) or ROW_NAMES.search(header[0]) or not header[0])
    kinds = [re.sub(r"\d+", "0", name) for name in header]
    alike = max(kinds.count(kind) for kind in kinds[1:]) if len(kinds) > 1 else 0
    unlike = alike > len(kinds) / 2 and kinds[0] not in kinds[1:]
    return bool(header[0]) and not ROW_NAMES.search(header[0]) and not unlike
