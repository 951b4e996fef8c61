"""Settings of the few-shot comparison."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from scarceseq.keys import (
    Confidence,
    Count,
    Distinct,
    Fraction,
    Limits,
    Named,
    NotNegative,
    Positive,
    Several,
    Share,
    Text,
    Whole,
    listed,
)


@dataclass(frozen=True)
class TaskSettings:
    """Which episodes a task has."""

    split: str
    """Split of `corpus.splits`; episodes come from its test studies, tuning from its validation studies."""
    label: Text
    """Sample attribute whose values are the classes (curated ones only, never predicted labels)."""
    protocol: Literal["cross_study", "within_study", "leave_one_study_out"] = "cross_study"
    """Whether the query of an episode comes from another study than the support, from the same, or from the one
    study that the support leaves out; then each other study that has the classes gives `shots` of each."""
    classes: Distinct[Text] = listed()
    """Values of the attribute that may be classes; empty for all."""
    group: str = ""
    """Sample attribute, such as the animal, of which no value may be on both sides of an episode; samples without it
    are groups of their own. Empty for none."""


@dataclass(frozen=True, kw_only=True)
class EpisodeSettings(TaskSettings):
    """Which and how many episodes a cell has: its task's settings, and numbers of test and validation episodes."""

    episodes: int
    validation_episodes: int
    query_per_class: int


@dataclass(frozen=True, kw_only=True)
class Task(TaskSettings):
    """One classification task."""

    centring: Literal["none", "study"] = "none"
    """`study` subtracts from each sample the mean of all samples of its study, for every method. It looks at the
    query's study as a whole (transductive), though at none of its labels."""
    ways: Several[Annotated[int, Limits(ge=2)] | Literal["all"]]
    """Numbers of classes of an episode; `all` takes every class that its studies share."""
    shots: Several[Count]
    """Numbers of support samples per class."""
    methods: Distinct[str] = listed()
    """Methods of this task; empty for those of `fewshot.methods`."""
    episodes: Whole = 0
    """Test episodes per cell of this task; 0 for `fewshot.episodes`."""
    seeds: Whole = 0
    """Pre-training seeds that this task is fitted with; 0 for `fewshot.seeds`."""


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
    def fewest(self) -> int:
        """Classes that a study must be able to fill."""
        return 2 if isinstance(self.way, str) else self.way


@dataclass(frozen=True)
class FitSettings:
    """How all methods are fitted."""

    momentum: Annotated[float, Limits(ge=0, lt=1)] = 0.9
    """Momentum of gradient descent."""
    pca_components: Count = 50
    """Principal components of the methods that use them, fitted on pretrain and scout studies."""
    reference_samples: Annotated[int, Limits(ge=2)] = 2048
    """Most samples of the pretrain and scout studies that the methods look at which look at them, such as those on
    principal components; of more, so many are drawn. 2048 of 20,000 genes take 0.5 GB."""
    curve_steps: Distinct[Count] = listed(1, 3, 10, 30, 100, 300)
    """Numbers of steps after which the query is predicted, for the curves of over-fitting."""
    curve_episodes: Whole = 20
    """Test episodes of each cell that have such a curve. Nothing is chosen by it."""


@dataclass(frozen=True, kw_only=True)
class FittingSettings(FitSettings):
    """How a method is fitted: the settings of all methods, and the candidates that it tries, the first by default."""

    candidates: list[Any]


@dataclass(frozen=True)
class Candidates:
    """Values of each hyper-parameter that are compared on the validation episodes; the first is used where there are
    none. All methods must have as many, so that none is tuned more than another; learning rates count once for each
    of `steps`."""

    learning_rate: Several[Positive] = listed(0.01, 0.001, 0.1)
    """Learning rate of the gradient-trained methods, before a guide or another rate multiplies it."""
    inverse_penalty: Several[Positive] = listed(100.0, 1.0, 10000.0, 10.0, 1000.0, 0.1)
    """Inverse of the penalty's strength in logistic regression."""
    adaptive_learning_rate: Several[Positive] = listed(0.001, 0.0001, 0.01)
    """Learning rate of the methods that use Adam."""
    centroid_threshold: Several[NotNegative] = listed(0.0, 0.5, 1.0, 0.25, 1.5, 2.0)
    """Shrinkage of the centroids, in standard deviations of the corpus."""
    feature_transform: Several[Literal[0, 1, 2, 3, 4, 5]] = listed(2, 1, 0, 5, 4, 3)
    """What SimpleShot does to features: 2 centres and brings to length 1, 1 brings to length 1, 0 nothing; 5, 4 and
    3 do the same with the ranks of a sample's features instead of their values."""
    neighbours: Several[Annotated[float, Limits(ge=1)]] = listed(1, 3, 5, 2, 7, 10)
    """Nearest neighbours that vote; all of the support if it has fewer."""
    elastic_net_inverse_penalty: Several[Positive] = listed(10.0, 1.0, 100.0, 3.0, 30.0, 0.3)
    """Inverse of the elastic-net penalty's strength."""
    svm_inverse_penalty: Several[Positive] = listed(1.0, 0.01, 100.0, 0.1, 10.0, 0.001)
    """Inverse of the penalty's strength in support vector machines."""
    variance_shrinkage: Several[Share] = listed(0.5, 0.1, 1.0, 0.25, 0.75, 0.9)
    """How far diagonal discriminant analysis moves each feature's variance towards their mean (1, all the way)."""
    forest_feature_share: Several[Annotated[float, Limits(gt=0, le=1)]] = listed(0.05, 0.01, 0.25, 0.02, 0.1, 0.005)
    """Share of the features that each division of a tree may choose from."""


@dataclass(frozen=True)
class Fitting(FitSettings):
    """How methods are fitted."""

    steps: Several[Count] = listed(30, 100)
    """Numbers of full-batch steps of the gradient-trained methods; each is tried with each learning rate. The
    weights after the last step are used."""
    candidates: Candidates = field(default_factory=Candidates)


@dataclass(frozen=True)
class Scoring:
    """How scores are summarised."""

    confidence: Confidence = 0.95
    """Confidence level of the intervals."""
    smallest_difference: Fraction = 0.05
    """Difference in balanced accuracy that a contrast must be able to rule out, or it is called underpowered."""


@dataclass(frozen=True, kw_only=True)
class FewshotSection:
    """Few-shot comparison of fine-tuning methods: episodes from labelled studies, scores, contrasts."""

    guide_scheme: str
    """Scheme of `guide.schemes` whose guides the guided methods and their controls use."""
    shuffled_scheme: str = ""
    """Scheme of `guide.schemes` with `shuffle_labels`, whose guide `shuffled_scouts_guide` uses."""
    tasks: Named[Task]
    """Classification tasks by name; each is run with the bases of its own split."""
    methods: Several[str]
    """Entries of the registry `fewshot/methods`."""
    methods_per_job: Count = 1
    """Methods that share a job, in their order. With 1, adding a method runs its jobs alone; with more, start-up is
    paid less often, and a method that joins a block runs that block anew."""
    seeds: Count = 1
    """How many of each base's seeds, its own first and then its `further_seeds`, are compared; a claim about a
    method needs five."""
    episodes: Count = 200
    """Test episodes per cell (task x way x shot); fewer where there are not that many different ones."""
    validation_episodes: Whole = 20
    """Episodes per cell from validation studies, on which each method's candidates are compared."""
    query_per_class: Count = 10
    """Most query samples per class in one episode; every class of a query has equally many."""
    fitting: Fitting = field(default_factory=Fitting)
    scoring: Scoring = field(default_factory=Scoring)
