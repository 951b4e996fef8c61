"""Doubles that a file writes with an underscore, as scPerturb does: `A_B`."""

from collections.abc import Callable, Collection

from scarceseq.errors import InputError

UNDERSCORE = "_"


def underscored_doubles(
    labels: Collection[str], named: Callable[[str], str | None], path: object
) -> dict[str, tuple[str, str]]:
    """The two names of each label that joins two of a screen by an underscore; labels that cannot be read so lack.

    Labels are those that are not set aside; `named` gives the gene or single perturbation that has a name, if any.

    Raises
    ------
    InputError
        If a label can be cut at several underscores, or is a name itself and can be cut.
    """
    read = {}
    for label in sorted(label for label in labels if UNDERSCORE in label):
        words = label.split(UNDERSCORE)
        cuts = [(UNDERSCORE.join(words[:at]), UNDERSCORE.join(words[at:])) for at in range(1, len(words))]
        readings = [cut for cut in cuts if all(map(named, cut)) and named(cut[0]) != named(cut[1])]
        if len(readings) > 1 or (readings and named(label)):
            shown = [" and ".join(cut) for cut in readings] + [label] * bool(named(label))
            raise InputError(
                f"{path}: label '{label}' can be read as {', or as '.join(shown)}; write a double with a plus, or name "
                "the label in the screen's key exclude"
            )
        if readings:
            read[label] = readings[0]
    return read
