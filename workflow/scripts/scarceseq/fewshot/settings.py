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

FeatureTransform = Literal[
    "centred_unit_length", "unit_length", "unchanged",
    "ranks_centred_unit_length", "ranks_unit_length", "ranks_unchanged",
]  # fmt: skip


@dataclass(frozen=True)
class TaskSettings:
    """Which episodes a task has."""

    split: str
    """Split of `corpus.splits`: episodes come from its test studies, those for tuning from its validation studies."""
    label: Text
    """Sample attribute whose values are the classes; a curated one, never a predicted label."""
    protocol: Literal["cross_study", "within_study", "leave_one_study_out"] = "cross_study"
    """Where the query of an episode comes from: another study than the support (`cross_study`), the same one
    (`within_study`), or the one study that is left out (`leave_one_study_out`); then each other study that has the
    classes gives `shots` of each."""
    classes: Distinct[Text] = listed()
    """Values of the attribute that may be classes; empty for all."""
    group: str = ""
    """Sample attribute, such as the animal, of which no value may be in support and query at once; a sample without it
    is a group by itself. Empty for none."""


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
    """`study` subtracts from each sample the mean of its study's samples, for every method. It looks at the whole
    study of the query (transductive), but at none of its labels."""
    ways: Several[Annotated[int, Limits(ge=2)] | Literal["all"]]
    """Numbers of classes in an episode; `all` takes every class that its studies share."""
    shots: Several[Count]
    """Numbers of support samples per class."""
    methods: Distinct[str] = listed()
    """Methods of this task; empty for those of `fewshot.methods`."""
    episodes: Whole = 0
    """Test episodes per cell (task x way x shot); 0 for `fewshot.episodes`."""
    seeds: Whole = 0
    """Number of pre-training seeds; 0 for `fewshot.seeds`."""


@dataclass(frozen=True)
class Cell:
    """One cell of the experiment."""

    task: str
    way: int | str  # classes of an episode; 'all' that its studies share
    shot: int  # support samples of each class, from each study of the support

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
    """Largest number of pretrain and scout samples that a method reads, such as for principal components; of more, so
    many are drawn. 2,048 samples of 20,000 genes take 0.5 GB."""
    curve_steps: Distinct[Count] = listed(1, 3, 10, 30, 100, 300)
    """Numbers of steps after which the query is predicted, for curves of over-fitting."""
    curve_episodes: Whole = 20
    """Test episodes of each cell that get such a curve. Nothing is chosen by it."""
    rate_scale: Literal["absolute", "relative"] = "absolute"
    """What `learning_rate` counts: the step itself (`absolute`), or shares of the largest rate at which descent is
    stable (`relative`), from the curvature at the start of each fit, its Gram matrices, and the method's own rates.
    With thousands of genes an absolute rate that is stable on one support may diverge on another; Adam's rates are
    always absolute."""


@dataclass(frozen=True, kw_only=True)
class FittingSettings(FitSettings):
    """How a method is fitted: the settings of all methods, and the candidates that it tries, the first by default."""

    candidates: list[Any]


@dataclass(frozen=True)
class Candidates:
    """Values of each hyper-parameter that are compared on the validation episodes; the first is used where there are
    none. All lists must be equally long, so that no method is tuned more than another; learning rates count once for
    each of `steps`."""

    learning_rate: Several[Positive] = listed(0.01, 0.001, 0.1)
    """Learning rate of the gradient-trained methods, before a guide or another rate multiplies it."""
    inverse_penalty: Several[Positive] = listed(100.0, 1.0, 10000.0, 10.0, 1000.0, 0.1)
    """Inverse of the penalty's strength in logistic regression."""
    adaptive_learning_rate: Several[Positive] = listed(0.001, 0.0001, 0.01)
    """Learning rate of the methods that use Adam."""
    centroid_threshold: Several[NotNegative] = listed(0.0, 0.5, 1.0, 0.25, 1.5, 2.0)
    """Shrinkage of the centroids, in standard deviations of the corpus."""
    feature_transform: Several[FeatureTransform] = listed(
        *("centred_unit_length", "unit_length", "unchanged"),
        *("ranks_centred_unit_length", "ranks_unit_length", "ranks_unchanged"),
    )
    """What SimpleShot does to a sample's features, or to their ranks: it subtracts the support's mean and brings to
    length 1, brings to length 1, or does nothing."""
    neighbours: Several[Annotated[float, Limits(ge=1)]] = listed(1, 3, 5, 2, 7, 10)
    """Nearest neighbours that vote; all of the support if it has fewer."""
    elastic_net_inverse_penalty: Several[Positive] = listed(10.0, 1.0, 100.0, 3.0, 30.0, 0.3)
    """Inverse of the elastic-net penalty's strength."""
    svm_inverse_penalty: Several[Positive] = listed(1.0, 0.01, 100.0, 0.1, 10.0, 0.001)
    """Inverse of the penalty's strength in support vector machines."""
    variance_shrinkage: Several[Share] = listed(0.5, 0.1, 1.0, 0.25, 0.75, 0.9)
    """How far diagonal discriminant analysis moves each feature's variance towards the mean variance; 1 for all the
    way."""
    ridge_penalty: Several[Positive] = listed(1.0, 0.1, 10.0, 0.01, 100.0, 0.001)
    """Strength of ridge regression's penalty, in units of the mean squared length of the centred support."""
    top_genes: Several[Count] = listed(300, 100, 1000, 30, 3000, 10)
    """Features that `top_genes` keeps of those that differ most in the support."""
    average_weight: Several[Share] = listed(0.5, 0.0, 1.0, 0.25, 0.75, 0.9)
    """Weight of `top_genes` in the average of its probabilities with those of `ridge`."""
    forest_feature_share: Several[Annotated[float, Limits(gt=0, le=1)]] = listed(0.05, 0.01, 0.25, 0.02, 0.1, 0.005)
    """Share of the features that each split of a tree may choose from."""


@dataclass(frozen=True)
class Fitting(FitSettings):
    """How methods are fitted."""

    steps: Several[Count] = listed(30, 100)
    """Numbers of full-batch steps of the methods trained by gradient; each is tried with each learning rate. The
    weights after the last step are used."""
    candidates: Candidates = field(default_factory=Candidates)


@dataclass(frozen=True)
class Scoring:
    """How scores are summarised."""

    confidence: Confidence = 0.95
    """Confidence level of the intervals."""
    smallest_difference: Fraction = 0.05
    """Smallest difference in balanced accuracy that matters; a contrast that cannot rule it out is called
    undecided."""


@dataclass(frozen=True, kw_only=True)
class FewshotSection:
    """Comparison of few-shot methods: episodes from labelled studies, scores, contrasts."""

    guide_scheme: str
    """Scheme of `guide.schemes` whose guides are used by guided methods and their controls."""
    shuffled_scheme: str = ""
    """Scheme of `guide.schemes` with `shuffle_labels`, for the method `guided@shuffled_scouts`."""
    tasks: Named[Task]
    """Classification tasks by name. Each is run with the bases of its split."""
    methods: Several[str]
    """Methods: a classifier on features (`logistic@genes`), fine-tuning (`l2_sp`), fine-tuning by a guide
    (`guided@per_tensor`) or its control (`mean_rate@per_tensor`); docs/extending.md lists what there is."""
    methods_per_job: Count = 1
    """Methods that share a job, in their order. With 1, a new method runs alone; with more, less time goes into
    starting jobs, and a new method reruns its block."""
    seeds: Count = 1
    """Number of each base's seeds that are compared, the base's `seed` first, then `further_seeds`. A claim about a
    method needs five."""
    episodes: Count = 200
    """Test episodes per cell (task x way x shot); fewer where there are not so many different ones."""
    validation_episodes: Whole = 20
    """Episodes per cell from validation studies, on which each method's candidates are compared."""
    query_per_class: Count = 10
    """Largest number of query samples per class in an episode; all classes of a query have equally many."""
    fitting: Fitting = field(default_factory=Fitting)
    scoring: Scoring = field(default_factory=Scoring)
