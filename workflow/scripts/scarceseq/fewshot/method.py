"""What a few-shot method is, and what the registries offer of which methods are composed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch

from scarceseq.fewshot.engine.rate_inputs import RateInputs
from scarceseq.fewshot.engine.rates import equal_pull, full_rate
from scarceseq.fewshot.engine.starts import pretrained_start

# From z-scores, (samples, genes), to features, (samples, features).
Transform = Callable[[np.ndarray], np.ndarray]
# Multipliers of updates, or strengths of pulls, by parameter name of the encoder.
ByParameter = dict[str, Any]


class Candidate(NamedTuple):
    """Hyper-parameters that are tried on the validation episodes."""

    value: float | str  # of the method's own hyper-parameter, such as the learning rate, or the name of an option
    steps: int = 0  # full-batch gradient steps; 0 for methods that are not trained by gradient

    @property
    def text(self) -> str:
        """The value as tables have it."""
        return self.value if isinstance(self.value, str) else repr(float(self.value))


@dataclass(frozen=True)
class FineTuning:
    """A method that trains the encoder and a linear head by gradient: a triple of start, rate and pull.

    `start` makes initial weights of a base, a number of classes and a seed; they may share tensors with the base, whose
    weights are never changed. `rate` and `pull` give the multiplier of each update, and the strength of the pull back
    to the start, by parameter name of the encoder. A rate of 0.0 leaves a tensor as it is. The head has rate 1 and no
    pull.
    """

    start: Callable[[Any, int, int], torch.nn.Module] = pretrained_start
    rate: Callable[[RateInputs], ByParameter] = full_rate
    pull: Callable[[RateInputs], ByParameter] = equal_pull  # none, by default
    optimiser: str = "sgd"  # 'sgd', 'adam' or 'adam_on_scaled_gradient'
    probe_share: float = 0.0  # of the steps, at the beginning, in which the head alone is trained
    kept_share: float = 1.0  # of the encoder's gradient entries that a step uses, drawn anew in each
    per_episode: bool = False  # whether rates depend on the support
    reference: bool = False  # whether rates or pulls look at the expression of the pretrain and scout studies
    # whether encoder weights learned on other studies replace the base's; the name says so
    learned_encoder: bool = False


@dataclass(frozen=True)
class Source:
    """What features may be fitted on."""

    base: Any  # Base, the pre-trained model
    reference: Any  # z-scores of pretrain and scout studies, (samples, genes), for features that need them, or None
    settings: Any  # FittingSettings
    seed: int
    studies: Sequence[str] = ()  # study of each sample of the reference
    labels: Sequence[str] = ()  # its class by the task's label; "" for a sample without one


@dataclass(frozen=True)
class Estimator:
    """A method that is not trained by gradient."""

    prepare: Callable[[Source], Transform]  # fits features; see `Features`
    probabilities: Callable[..., np.ndarray]  # see `Classifier`
    reference: bool = False  # whether `prepare` looks at the reference expression
    learned_encoder: bool = False  # as of `FineTuning`


class Classifier(Protocol):
    """Entry of `scarceseq.fewshot.classifiers`: the left side of ``logistic@genes``."""

    CANDIDATES: str  # key of ``fewshot.fitting.candidates`` whose values are tried; a literal

    def probabilities(
        self, support: np.ndarray, support_classes: np.ndarray, query: np.ndarray, candidate: Any, seed: int
    ) -> np.ndarray:
        """Class probabilities, (queries, classes), from features, (samples, features) and (queries, features).

        `support_classes`, (samples,), are 0 to classes - 1, each present. `candidate` is a value of the one
        hyper-parameter that is tuned, `seed` that of what is drawn.
        """


class Features(Protocol):
    """Entry of `scarceseq.fewshot.features`: the right side of ``logistic@genes``."""

    @property
    def NEEDS(self) -> tuple[str, ...]:  # noqa: N802
        """A literal: what features look at besides the samples themselves.

        ``network``: the encoder's weights, so that they depend on the seed of pre-training; ``reference``: the
        expression of the pretrain and scout studies, and their classes, on which they are fitted.
        """

    def prepare(self, source: Source) -> Transform:
        """Fit the features; returns the function from z-scores to them."""


class Tuning(Protocol):
    """Entry of `scarceseq.fewshot.fine_tuning`: ``l2_sp``, or the left side of ``guided@per_tensor``.

    Two literals are there where they say something: ``GUIDED = True`` if rate or pull is made from a guide, and
    ``OPTIMISER`` if it is not SGD, which decides on the learning rates that are tried.
    """

    METHOD: FineTuning
