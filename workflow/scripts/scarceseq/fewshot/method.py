"""What a few-shot method is; imports nothing heavy."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scarceseq import registry
from scarceseq.errors import InputError

GUIDES = (None, "per_tensor", "global")


@dataclass(frozen=True)
class Gradient:
    """A method that trains the encoder and a linear head by SGD: a triple of start, rate and precision.

    Attributes
    ----------
    start : callable (base, classes, seed) -> Classifier
        Initial weights.
    rate : callable (encoder, guide, seed) -> dict of str to (Tensor or float)
        Multiplier of each update, by parameter name of the encoder; 0.0 leaves a tensor as it is. The head's is 1.
    precision : callable (encoder) -> dict of str to (Tensor or float)
        Strength of the pull back to the start: precision / 2 * (weight - start)**2 joins the loss.
    guide : {None, 'per_tensor', 'global'}
        The guide file that `rate` reads.
    candidates : str
        Key of ``fewshot.fitting.candidates`` whose values are tried.
    """

    start: Callable
    rate: Callable
    precision: Callable
    guide: str | None = None
    candidates: str = "learning_rate"


@dataclass(frozen=True)
class Estimator:
    """A method that is not trained by gradient.

    Attributes
    ----------
    prepare : callable (base, reference, settings, seed) -> callable
        Fits features on the reference expression (z-scores of the pretrain and scout studies, samples x genes) and
        returns the function from z-scores to features.
    probabilities : callable (support, support_classes, query, candidate) -> array, (queries, classes)
    candidates : str
        As for `Gradient`.
    reference : bool
        Whether `prepare` looks at the reference expression.
    guide : None
    """

    prepare: Callable
    probabilities: Callable
    candidates: str
    reference: bool = False
    guide: str | None = None


def required_guide(name):
    """Guide that a method needs, read from its source without importing it.

    Parameters
    ----------
    name : str
        Entry of the registry ``fewshot.methods``.

    Returns
    -------
    {None, 'per_tensor', 'global'}

    Raises
    ------
    InputError
        If there is no such entry, or its ``METHOD`` does not name its guide as a literal.
    """
    known = registry.names("fewshot.methods")
    if name not in known:
        raise InputError(f"fewshot.methods: there is no entry '{name}'; known entries: {', '.join(known)}")
    path = Path(__file__).parent / "methods" / f"{name}.py"
    for node in ast.parse(path.read_text(), str(path)).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.targets[0].id == "METHOD":
            given = [word.value for word in node.value.keywords if word.arg == "guide"]
            guide = ast.literal_eval(given[0]) if given else None
            if guide in GUIDES:
                return guide
    raise InputError(f"{path}: METHOD must be a call with guide= one of {GUIDES}, written as a literal")
