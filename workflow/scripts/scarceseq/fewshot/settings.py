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
    protocol : {'cross_study', 'within_study', 'leave_one_study_out'}
        Whether the query comes from another study than the support, from the same, or from the one study that the
        support leaves out: then each of the others that has the classes gives as many samples of each.
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
    """One cell of the experiment.

    Attributes
    ----------
    task : str
    way : int or 'all'
        Classes of an episode; all that its studies share.
    shot : int
        Support samples of each class, from each study of the support.
    """

    task: str
    way: int | str
    shot: int

    @property
    def fewest(self):
        """Classes that a study must be able to fill."""
        return 2 if self.way == "all" else self.way


@dataclass(frozen=True)
class FittingSettings:
    """How methods are fitted.

    Attributes
    ----------
    momentum : float
    pca_components : int
        Principal components of the methods that use them.
    reference_samples : int
        Most samples of the pretrain and scout studies that methods look at.
    candidates : list of Candidate
        What is tried on the validation episodes; the first is the default.
    curve_steps : list of int
        Numbers of steps after which the query is predicted for the curve of over-fitting.
    curve_episodes : int
        Test episodes of a cell that have such a curve.
    """

    momentum: float
    pca_components: int
    reference_samples: int
    candidates: list
    curve_steps: list = ()
    curve_episodes: int = 0
