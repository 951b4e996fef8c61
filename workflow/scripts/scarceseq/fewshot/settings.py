"""Settings of the few-shot stage; their defaults are in the config schema."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EpisodeSettings:
    """What episodes a cell has.

    Attributes
    ----------
    split : str
        Split of the corpus whose test and validation studies are used.
    label : str
        Attribute key whose values are the classes.
    protocol : {'cross_study', 'within_study'}
        Whether the query comes from another study than the support, or from the same.
    classes : list of str
        Values that may be classes; empty for all.
    group : str
        Attribute key of which no value may be on both sides of an episode; empty for none.
    episodes, validation_episodes : int
    query_per_class : int
        Most query samples of a class in one episode.
    """

    split: str
    label: str
    protocol: str
    classes: list
    group: str
    episodes: int
    validation_episodes: int
    query_per_class: int


@dataclass(frozen=True)
class Cell:
    """One cell of the experiment: task, number of classes, support samples per class."""

    task: str
    way: int
    shot: int


@dataclass(frozen=True)
class FittingSettings:
    """How methods are fitted.

    Attributes
    ----------
    steps : int
        Full-batch gradient steps.
    momentum : float
    pca_components : int
        Principal components of the methods that use them.
    candidates : list of float
        Values of the method's one hyper-parameter that are tried on the validation episodes; the first is the default.
    """

    steps: int
    momentum: float
    pca_components: int
    candidates: list


@dataclass(frozen=True)
class ScoreSettings:
    """How scores are summarised: bootstrap draws, confidence level, and the smallest difference worth finding."""

    bootstrap_draws: int
    confidence: float
    smallest_difference: float
