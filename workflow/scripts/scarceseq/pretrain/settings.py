"""Settings of base models, and of the comparison of their embeddings."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from scarceseq.keys import (
    ABSENT,
    Count,
    Distinct,
    Fraction,
    Limits,
    Name,
    Named,
    NotNegative,
    Positive,
    Several,
    Share,
    Text,
    Whole,
    listed,
)

# What may change between a checkpoint and the run that goes on with it.
INDECISIVE = ("samples_at_once", "checkpoint_every_steps", "loss_spike_factor", "loss_spike_steps")


@dataclass(frozen=True)
class MaskedExpression:
    """Reconstruct genes that are hidden; squared error of z-scores."""

    weight: Positive = 1
    """Weight of this loss in the sum."""


@dataclass(frozen=True)
class ReadCounts:
    """Likelihood of the read counts of hidden genes, given the sample's depth; in nats per gene, one of which counts
    for less than one unit of masked_expression."""

    weight: Positive = 1
    """Weight of this loss in the sum."""
    distribution: Literal["negative_binomial", "poisson"] = "negative_binomial"
    """Distribution of the reads; a negative binomial learns a dispersion for each gene."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Predict attributes of the samples from the embedding; cross-entropy, over the samples trained on that have a
    label."""

    weight: Positive = 1
    """Weight of this loss in the sum."""
    keys: Several[str]
    """Attributes, such as `tissue`; curated labels, as the authors gave them."""
    minimum_studies: Count = 2
    """A value becomes a class if at least so many of the studies trained on have it."""


@dataclass(frozen=True)
class StudyAdversary:
    """Forget the study: a classifier predicts the study from the embedding, and its gradient reaches the encoder
    reversed."""

    weight: Positive = 1
    """Weight of this loss in the sum."""
    strength: Positive = 1
    """Strength of the reversed gradient; the classifier itself learns at full strength."""


@dataclass(frozen=True)
class StudyDifferences:
    """Predict hidden genes of a sample's difference to the mean of its study, from the embedding; squared error of
    z-scores."""

    weight: Positive = 1
    """Weight of this loss in the sum."""


@dataclass(frozen=True)
class Objectives:
    """What the network is trained for, by the names of files in `pretrain/objectives`. The weighted sum of the losses
    is minimised."""

    masked_expression: MaskedExpression = ABSENT
    read_counts: ReadCounts = ABSENT
    labels: Labels = ABSENT
    study_adversary: StudyAdversary = ABSENT
    study_differences: StudyDifferences = ABSENT


@dataclass(frozen=True)
class PretrainSettings:
    """How a base model is trained."""

    split: str
    """Split of `corpus.splits` that gives each study its role."""
    architecture: str = "mlp"
    """Network, by the name of its file in `pretrain/architectures`."""
    seed: Whole = 1
    """Seed of initial weights, batches and masks, together with the run's seed."""
    roles: Several[Literal["pretrain", "scout"]] = listed("pretrain")
    """Roles of the studies that the network is trained on. Mean and scale of genes are always those of pretrain and
    scout studies."""
    objectives: Annotated[dict[str, Any], Objectives] = field(
        default_factory=lambda: {"masked_expression": {"weight": 1}}
    )
    """What the network is trained for, by the names of files in `pretrain/objectives`. The weighted sum of the losses
    is minimised."""
    steps: Count = 1500
    """Steps of the optimiser. The weights after the last one are kept."""
    batch_samples: Count = 64
    """Samples per step."""
    samples_at_once: Whole = 0
    """Samples of a batch that are in memory together; 0 for all. Their gradients are added up: fewer need less memory,
    and change results by rounding only."""
    mask_share: Fraction = 0.3
    """Probability that a gene is hidden from the network in training."""
    input_noise: NotNegative = 0.5
    """Standard deviation of the Gaussian noise added to the z-scores that the network sees in training."""
    learning_rate: Positive = 0.001
    """Highest learning rate of AdamW, reached after the warm-up."""
    weight_decay: NotNegative = 1.0
    """Decoupled weight decay of AdamW."""
    warm_up_steps: Whole = 100
    """Steps of linear warm-up; then the learning rate falls as a cosine."""
    maximum_gradient_norm: Positive = 1.0
    """Longer gradients are shortened to this norm."""
    minimum_scale: Positive = 0.1
    """Smallest standard deviation, in log2 units, by which a gene is divided for its z-score."""
    hidden_widths: list[Count] = listed(512)
    """Widths of the encoder's hidden layers, from the genes inward (mlp)."""
    width: Annotated[int, Limits(ge=2)] = 128
    """Width of the embedding, and number of principal components that the model is compared with."""
    decoder_widths: list[Count] = listed()
    """Widths of the decoder's hidden layers, from the embedding outward; empty for a linear decoder (mlp)."""
    depth: Count = 6
    """Number of blocks (transformer). The defaults of this and the next keys are scBERT's."""
    heads: Count = 10
    """Attention heads of a block (transformer)."""
    token_width: Count = 200
    """Width of a gene's token, a multiple of `heads` (transformer)."""
    expression_bins: Count = 5
    """Highest bin of log2(TPM + 1), for all values above it. Bins begin at 0 and are one log2 unit wide
    (transformer)."""
    attention: Literal["linear", "flash"] = "flash"
    """`flash`: softmax attention by torch's fastest kernel; `linear`: time and memory grow linearly with the number of
    genes (transformer)."""
    validate_every_steps: Count = 100
    """Steps between two entries of the loss history."""
    checkpoint_every_steps: Count = 1000
    """Steps between two checkpoints. A killed run goes on from the last one, to the same weights."""
    early_stopping_validations: Whole = 0
    """Training ends after so many entries of the history without a better validation loss, and the best weights are
    kept; 0 for all steps and the last weights."""
    loss_spike_factor: Annotated[float, Limits(gt=1)] = 3
    """A loss is too high if it is more than this multiple of the median of the 200 steps before."""
    loss_spike_steps: Count = 20
    """So many steps in a row with too high a loss end the run with an error; the checkpoint from before them is
    kept."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number format of activations; weights and optimiser are in float32. `auto` is bfloat16 on a GPU, and on a
    processor with instructions for it (AVX512-BF16, AMX or ARM's), and else float32; the log and `model.json` say
    which. Say `float32` for tables that are equal on every processor but for rounding."""
    deterministic: bool = False
    """On CUDA, use only algorithms that give the same bits in each run, and fail where there is none. On the processor
    runs are always equal."""
    evaluation_mask_share: Fraction = 0.3
    """Probability that a gene is hidden when held-out studies are evaluated."""
    evaluation_masks: Count = 2
    """Masks drawn for each held-out sample; errors are averaged over them."""
    evaluation_samples: Count = 50
    """Largest number of samples of a held-out study that are evaluated; of more, so many are drawn."""

    @property
    def attribute_keys(self) -> list[str]:
        """Attributes of the samples that some objective learns."""
        return sorted({key for options in self.objectives.values() for key in options.get("keys", [])})

    def as_dictionary(self) -> dict[str, Any]:
        """Plain dictionary of lists, numbers and dictionaries, as JSON and the architectures read it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    def decisive(self) -> dict[str, Any]:
        """The settings on which the trained weights depend, but for rounding."""
        return {key: value for key, value in self.as_dictionary().items() if key not in INDECISIVE}


@dataclass(frozen=True)
class BaseEntry(PretrainSettings):
    """A base model, from one or several seeds."""

    further_seeds: Distinct[Whole] = listed()
    """Train the same base from these seeds too, for the comparison of embeddings; results go to
    `pretrain/<name>_seed<seed>/`."""
    threads: Count = 1
    """Processor cores that train it, as far as the run has them (`--cores`). Another number changes results by
    rounding, and reruns nothing."""


@dataclass(frozen=True)
class ComparisonSettings:
    """How embeddings are compared."""

    folds: Annotated[int, Limits(ge=2)] = 5
    """Number of folds that studies, or the samples of one study, are divided into."""
    repeats: Count = 3
    """How often the division is drawn anew."""
    most_samples: Annotated[int, Limits(ge=2)] = 2000
    """Largest number of labelled samples of the test studies, and of the validation studies; of more, so many are
    drawn, by turns from each class of each study."""
    penalties: Annotated[list[Positive], Limits(min_length=1)] = listed(10, 1, 100, 1000)
    """Inverse penalties of the logistic regression, tried on validation studies by every method and on both forms of
    its features. The first is used where there are no validation studies."""
    confidence: Fraction = 0.95
    """Confidence level of the intervals."""
    smallest_difference: Positive = 0.02
    """Smallest difference in balanced accuracy that matters; a comparison that cannot rule it out is called
    undecided."""


@dataclass(frozen=True)
class ComparisonTask:
    """One label."""

    split: str
    """Split of `corpus.splits`: classifiers are trained and tested on its test studies, and tuned on its validation
    studies."""
    label: Text
    """Sample attribute whose values are the classes (curated ones only)."""
    protocol: Literal["cross_study", "within_study"] = "cross_study"
    """`cross_study`: test on other studies than those trained on; `within_study`: cross-validate within each study."""
    classes: Distinct[Text] = listed()
    """Values of the attribute that may be classes; empty for all."""
    group: str = ""
    """Attribute, such as the animal, of which no value may be in training and test at once within a study. Empty for
    none."""


@dataclass(frozen=True)
class Comparison(ComparisonSettings):
    """Whether pre-training helps: linear classifiers of labelled held-out studies, on the frozen embedding, on
    principal components, on genes, and on an untrained encoder."""

    tasks: dict[Name, ComparisonTask] = field(default_factory=dict)
    """Labels to predict, by the name of the task. Each is run with the bases of its split."""


@dataclass(frozen=True, kw_only=True)
class PretrainSection:
    """Base models, pre-trained on the corpus."""

    minimum_gene_share: Share = 0.8
    """Share of a base model's genes that a user's study must have to be embedded. Missing genes are put at their
    mean."""
    comparison: Comparison = field(default_factory=Comparison)
    bases: Named[BaseEntry]
    """One base model per name; results go to `pretrain/<name>/`."""
