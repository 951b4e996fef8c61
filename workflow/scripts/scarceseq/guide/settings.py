"""Settings of scouts, of the guides made from them, and of meta-learning."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from scarceseq.keys import ABSENT, Count, File, Fraction, Limits, Named, NotNegative, Positive, Several, Share, listed

# Parts of a scout's samples.
TRAIN, HELD_OUT = "train", "held_out"


@dataclass(frozen=True)
class SchemeSettings:
    """A set of scouts, and how their displacements become a guide."""

    scheme: str
    """How the scouts' tasks are drawn, by the name of its file in `guide/schemes`."""
    roles: Several[Literal["pretrain", "scout"]] = listed("pretrain", "scout")
    """Roles of the studies that scouts learn from."""
    scouts: Count = 120
    """Number of scouts; fewer are trained where the scheme has fewer tasks."""
    scouts_per_block: Count = 20
    """Scouts trained by one job."""
    label: str = ""
    """Sample attribute whose values are the classes of `label_subsets` and `within_study`."""
    classes_per_scout: Annotated[int, Limits(ge=2)] = 3
    """Classes that a scout of `label_subsets` distinguishes."""
    reduction: Literal["pca", "umap"] = "pca"
    """How `cluster_pairs` reduces the samples' dimensions before it clusters them."""
    components: Count = 30
    """Dimensions in which `cluster_pairs` clusters samples."""
    clusters: Annotated[int, Limits(ge=2)] = 30
    """Clusters of k-means; at most the number of samples divided by `minimum_class_samples`."""
    minimum_class_samples: Annotated[int, Limits(ge=2)] = 8
    """Clusters, or classes, with fewer samples are not used."""
    samples_per_class: Annotated[int, Limits(ge=2)] = 24
    """Largest number of samples that a scout takes from one class, held-out samples included."""
    held_out_share: Fraction = 0.25
    """Share of a scout's samples on which its accuracy is measured; at least one sample per class."""
    shuffle_labels: bool = False
    """Shuffle the labels of each scout's samples, for a control guide. Such scouts learn nothing that holds, so
    `minimum_held_out_accuracy` must be 0."""
    optimiser: Literal["sgd", "adamw"] = "sgd"
    """Optimiser of the scouts; AdamW is without weight decay."""
    steps: Count = 60
    """Steps of each scout."""
    batch_samples: Count = 32
    """Samples per step; all of them if the scout has no more."""
    learning_rate: Positive = 0.01
    """Learning rate of the scouts."""
    momentum: Annotated[float, Limits(ge=0, lt=1)] = 0.9
    """Momentum of the scouts' SGD."""
    minimum_held_out_accuracy: Share = 0.7
    """Scouts with a lower accuracy on their held-out samples are left out of the guide."""
    displacement: Literal["squared", "absolute"] = "squared"
    """What is averaged over scouts: squared or absolute displacement of each weight."""
    head: Literal["free", "scouts"] = "free"
    """Updates of the head in guided fine-tuning: `free`, without a guide, or `scouts`, with one from the scouts'
    heads, averaged over their classes."""
    normalisation: Literal["min_max", "by_maximum", "from_minimum", "raw"] = "min_max"
    """How displacements become a guide, within each tensor or over all of them."""
    temperature: Literal["room", "chilly", "icy", "freezing", "step", "warm", "evaporating"] = "room"
    """Transformation of the guide (see `guide/adjustments.py`); `room` leaves it as it is."""
    scale: Positive = 1.0
    """Factor by which the guide is multiplied."""
    sparse_below: NotNegative = 0.0
    """Values of the guide below this become 0."""

    def as_dictionary(self) -> dict[str, Any]:
        """Plain dictionary of lists and numbers, as JSON writes it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


@dataclass(frozen=True)
class MetaSettings:
    """What meta-learning depends on, but for the scheme its tasks come from."""

    tasks: Count = 120
    """Number of the scheme's tasks to learn from, the first ones."""
    passes: Count = 2
    """Passes over the tasks (ARUBA makes one)."""
    inner_steps: Count = 5
    """Full-batch steps of gradient descent on a task."""
    inner_learning_rate: Positive = 0.01
    """Learning rate on a task; for ProtoNet, from task to task."""
    outer_learning_rate: Positive = 0.1
    """How far Reptile's start moves towards a task's end, and the learning rate of Meta-SGD's rates."""


@dataclass(frozen=True, kw_only=True)
class Meta(MetaSettings):
    """What the meta-learners `reptile`, `meta_sgd`, `aruba` and `protonet` learn beforehand, on the tasks of
    scouts, and so on pretrain and scout studies alone. Only these methods need it."""

    scheme: str
    """Scheme of `guide.schemes` whose tasks are learned from."""


@dataclass(frozen=True, kw_only=True)
class GuideSection:
    """Guides, from scouts that start at a base model."""

    packed_components: Count = 50
    """Principal components of the pretrain and scout studies that go into a packed model, for baselines where the
    corpus is not at hand."""
    packed_bits: Literal[16, 32] = 32
    """Bits of each weight in a packed model; with 16 the file is half as large, and weights have three digits."""
    packed_about: File | None = None
    """JSON object that goes into the card of a packed model as `about`: sources and licences of its training studies,
    what it is good for, how it was made."""
    schemes: Named[SchemeSettings]
    """Sets of scouts by name; results go to `guide/<base>/<name>/`."""
    meta: Meta = ABSENT
