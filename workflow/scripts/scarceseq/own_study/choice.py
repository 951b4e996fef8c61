"""The best of several classifiers, chosen by predictions of samples of a training set that a fit did not see."""

from dataclasses import dataclass

import numpy as np

from scarceseq.fewshot.calibration import PRIOR_DEVIATION, WIDEST
from scarceseq.fewshot.metrics import SMALLEST_PROBABILITY
from scarceseq.fewshot.numerics import softmax
from scarceseq.own_study.names import AVERAGE

TEMPERATURES = np.exp(np.linspace(-WIDEST, WIDEST, 61))


@dataclass(frozen=True)
class Choice:
    """What was chosen: a candidate's name or `AVERAGE`, and setting and temperature of each candidate."""

    name: str
    settings: dict[str, int]
    temperatures: dict[str, float]


def as_probabilities(scores: np.ndarray, samples: int) -> np.ndarray:
    """softmax over the last axis, no surer than so many training samples can make it (Laplace's rule of succession)."""
    return (samples * softmax(scores) + 1) / (samples + scores.shape[-1])


def class_mean_loss(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Log loss, classes with equal weight, (...,) of probabilities (..., samples, classes)."""
    chosen = np.take_along_axis(probabilities, np.broadcast_to(labels, probabilities.shape[:-1])[..., None], axis=-1)
    loss = -np.log(np.maximum(chosen[..., 0], SMALLEST_PROBABILITY))
    sizes = np.bincount(labels)
    return (loss / sizes[labels]).sum(axis=-1) / (sizes > 0).sum()


def best_temperatures(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Temperature of each setting's scores, (settings, samples, classes), on a grid, and the loss there.

    As `scarceseq.fewshot.calibration.fit_temperature`: most probable, with a prior that keeps a few right answers from
    making certainty.
    """
    tried = scores[:, None] / TEMPERATURES[:, None, None]
    loss = class_mean_loss(as_probabilities(tried, len(labels)), labels)
    prior = (np.log(TEMPERATURES) / PRIOR_DEVIATION) ** 2 / 2
    place = (len(labels) * loss + prior).argmin(axis=1)
    return TEMPERATURES[place], loss[np.arange(len(scores)), place]


def choose(scores: dict[str, np.ndarray], labels: np.ndarray) -> Choice:
    """Setting and temperature of each candidate by the log loss of inner folds, then the candidate, or their average.

    `scores` of each candidate, (settings, samples, classes), are for the training samples by fits that did not see
    them.
    """
    settings, temperatures, losses, probabilities = {}, {}, {}, []
    for name, values in scores.items():
        temperature, loss = best_temperatures(values, labels)
        place = int(loss.argmin())
        settings[name], temperatures[name], losses[name] = place, float(temperature[place]), float(loss[place])
        probabilities.append(as_probabilities(values[place] / temperature[place], len(labels)))
    if len(scores) > 1:
        losses[AVERAGE] = float(class_mean_loss(np.mean(probabilities, axis=0), labels))
    return Choice(min(losses, key=lambda name: losses[name]), settings, temperatures)


def default_choice(names: list[str]) -> Choice:
    """Where no training sample can be spared to choose by: the average of all in their first setting."""
    chosen = AVERAGE if len(names) > 1 else names[0]
    return Choice(chosen, dict.fromkeys(names, 0), dict.fromkeys(names, 1.0))


def probabilities_of(choice: Choice, scores: dict[str, np.ndarray], samples: int) -> dict[str, np.ndarray]:
    """Probabilities of the classes by each candidate and by `AVERAGE`, (samples, classes), as was chosen.

    `scores` are (settings, samples to predict, classes); `samples` is the number of training samples.
    """
    by_name = {
        name: as_probabilities(scores[name][place] / choice.temperatures[name], samples)
        for name, place in choice.settings.items()
    }
    return by_name | {AVERAGE: np.mean(list(by_name.values()), axis=0)}
