"""What a few-shot method is; imports nothing heavy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Candidate(NamedTuple):
    """Hyper-parameters that are tried on the validation episodes.

    Attributes
    ----------
    value : float
        Of the method's own hyper-parameter, such as the learning rate.
    steps : int
        Full-batch gradient steps; 0 for methods that are not trained by gradient.
    """

    value: float
    steps: int = 0


@dataclass(frozen=True)
class Gradient:
    """A method that trains the encoder and a linear head by gradient: a triple of start, rate and precision.

    Attributes
    ----------
    start : callable (base, classes, seed) -> Classifier
        Initial weights; may share tensors with the base, whose weights are never changed.
    rate, precision : callable (Setting) -> dict of str to (Tensor or float)
        Multiplier of each update, and strength of the pull back to the start, by parameter name of the encoder. A
        rate of 0.0 leaves a tensor as it is. The head has rate 1 and no pull.
    path : {'dual', 'dense'}
        'dual' if layers over the genes may be kept in dual form: SGD, no precision of their own for their weights, no
        entries left out of single steps.
    optimiser : {'sgd', 'adam', 'adam_on_scaled_gradient'}
    probe_share : float
        Share of the steps, at the beginning, in which the head alone is trained.
    kept_share : float
        Share of the encoder's gradient entries that a step uses, drawn anew in each.
    per_episode : bool
        Whether rates depend on the support.
    reference : bool
        Whether rates or precisions look at the expression of the pretrain and scout studies.
    learned_encoder : bool
        Whether what was learned on other studies (``GUIDE``) are encoder weights that replace the base's.
    """

    start: Callable
    rate: Callable
    precision: Callable
    path: str
    optimiser: str = "sgd"
    probe_share: float = 0.0
    kept_share: float = 1.0
    per_episode: bool = False
    reference: bool = False
    learned_encoder: bool = False


@dataclass(frozen=True)
class Estimator:
    """A method that is not trained by gradient.

    Attributes
    ----------
    prepare : callable (base, reference, settings, seed) -> callable
        Fits features on the reference expression (z-scores of the pretrain and scout studies, samples x genes) and
        returns the function from z-scores to features.
    probabilities : callable (support, support_classes, query, candidate, seed) -> array, (queries, classes)
    reference : bool
        Whether `prepare` looks at the reference expression.
    learned_encoder : bool
        As of `Gradient`.
    """

    prepare: Callable
    probabilities: Callable
    reference: bool = False
    learned_encoder: bool = False
