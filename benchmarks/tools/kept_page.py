"""A page of kept results in two: what people read, with the answer first, and the details behind it."""

from itertools import pairwise


def in_two(lines, answer, name, sections=1, lines_of_each=5):
    """Texts of the page and of its details.

    Parameters
    ----------
    lines : list of str
        Markdown: a title, how it was made, then sections that begin with ``## ``.
    answer : str
        First sentence of the page, by whoever keeps it.
    name : str
        Of the page, without ending; the details are ``<name>_details.md``.
    sections : int
        Of which the page shows the beginnings.
    lines_of_each : int

    Returns
    -------
    (str, str)
    """
    heads = [place for place, line in enumerate(lines) if line.startswith("## ")] + [len(lines)]
    shown = [lines[0], "", answer, "", *lines[2 : heads[0]]]
    for first, last in list(pairwise(heads))[:sections]:
        body = [line for line in lines[first + 2 : last] if line]
        shown += [lines[first], "", *body[:lines_of_each], ""]
    shown += [f"Every comparison and table of the run: [{name}_details.md]({name}_details.md)."]
    details = [f"{lines[0]}: details", "", f"What they say: [{name}.md]({name}.md).", "", *lines[heads[0] :]]
    return "\n".join(shown).rstrip() + "\n", "\n".join(details).rstrip() + "\n"
