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
    """Reconstruct masked genes; squared error of z-scores."""

    weight: Positive = 1
    """Of this loss in the sum."""


@dataclass(frozen=True)
class ReadCounts:
    """Likelihood of the read counts of masked genes, given the sample's depth; in nats per gene, of which one weighs
    less than one of masked_expression."""

    weight: Positive = 1
    """Of this loss in the sum."""
    distribution: Literal["negative_binomial", "poisson"] = "negative_binomial"
    """Of the reads; a negative binomial learns a dispersion for each gene."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Tell attributes of the samples from the embedding; cross-entropy. Only samples that are trained on are looked
    at, one without a label costs nothing."""

    weight: Positive = 1
    """Of this loss in the sum."""
    keys: Several[str]
    """Attributes, such as `tissue`; curated labels, as authors gave them."""
    minimum_studies: Count = 2
    """Values that fewer of the studies trained on have are no classes."""


@dataclass(frozen=True)
class StudyAdversary:
    """Unlearn the study; a classifier tells the studies trained on from the embedding, and its gradient reaches the
    encoder reversed."""

    weight: Positive = 1
    """Of this loss in the sum."""
    strength: Positive = 1
    """Of the reversed gradient; the classifier itself learns at full weight."""


@dataclass(frozen=True)
class Objectives:
    """What the network is trained for, by the names of files in `pretrain/objectives`; the weighted sum of their
    losses is minimised."""

    masked_expression: MaskedExpression = ABSENT
    read_counts: ReadCounts = ABSENT
    labels: Labels = ABSENT
    study_adversary: StudyAdversary = ABSENT


@dataclass(frozen=True)
class PretrainSettings:
    """How a base model is trained."""

    split: str
    """Split of the corpus that gives each study its role."""
    architecture: str = "mlp"
    """Network, by the name of its file in `pretrain/architectures`."""
    seed: Whole = 1
    """Of initial weights, batches and masks, together with the run's seed."""
    roles: Several[Literal["pretrain", "scout"]] = listed("pretrain")
    """Roles of the studies that the network is trained on. Mean and scale are always fitted on pretrain and
    scout."""
    objectives: Annotated[dict[str, Any], Objectives] = field(
        default_factory=lambda: {"masked_expression": {"weight": 1}}
    )
    """What the network is trained for, by the names of files in `pretrain/objectives`; the weighted sum of their
    losses is minimised."""
    steps: Count = 1500
    """Optimiser steps; the last step's weights are kept."""
    batch_samples: Count = 64
    """Samples per step."""
    samples_at_once: Whole = 0
    """Samples of a batch that are in memory together; their gradients are added up. Fewer need less memory and
    change results by rounding only. 0 takes the whole batch."""
    mask_share: Fraction = 0.3
    """Probability that a gene is hidden from the network in training."""
    input_noise: NotNegative = 0.5
    """Standard deviation of the Gaussian noise that is added to the z-scores the network sees in training."""
    learning_rate: Positive = 0.001
    """Highest learning rate of AdamW, reached after warm-up."""
    weight_decay: NotNegative = 1.0
    """Decoupled weight decay of AdamW."""
    warm_up_steps: Whole = 100
    """Steps of linear warm-up, before the cosine."""
    maximum_gradient_norm: Positive = 1.0
    """Longer gradients are shortened to this norm."""
    minimum_scale: Positive = 0.1
    """Floor of a gene's standard deviation, in log2 units, when z-scores are taken."""
    hidden_widths: list[Count] = listed(512)
    """Widths of the encoder's hidden layers, from the genes inward (mlp)."""
    width: Annotated[int, Limits(ge=2)] = 128
    """Width of the embedding, and number of components of the PCA that the model is compared with."""
    decoder_widths: list[Count] = listed()
    """Widths of the decoder's hidden layers, from the embedding outward; empty for a linear decoder (mlp)."""
    depth: Count = 6
    """Number of blocks (transformer); the defaults of these keys are scBERT's."""
    heads: Count = 10
    """Attention heads of a block (transformer)."""
    token_width: Count = 200
    """Width of a gene's token, a multiple of `heads` (transformer)."""
    expression_bins: Count = 5
    """Highest bin of log2(TPM + 1), which holds all values above it; bins are one log2 unit wide and begin at 0
    (transformer)."""
    attention: Literal["linear", "flash"] = "flash"
    """`flash`, softmax attention by torch's fastest kernel, or `linear`, with time and memory that grow linearly
    with the genes (transformer)."""
    validate_every_steps: Count = 100
    """Steps between two entries of the loss history."""
    checkpoint_every_steps: Count = 1000
    """Steps between two checkpoints, from which a killed run goes on to the same weights."""
    early_stopping_validations: Whole = 0
    """Entries of the history without a better validation loss after which training ends; the weights validated best
    are kept. 0 trains all steps and keeps the last weights."""
    loss_spike_factor: Annotated[float, Limits(gt=1)] = 3
    """A loss is too high if it is so many times the median of the 200 steps before."""
    loss_spike_steps: Count = 20
    """Steps in a row with too high a loss that end the run with an error; the checkpoint from before them is
    kept."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number format of activations; weights and optimiser are float32. `auto` is bfloat16 on CUDA and float32 on the
    processor, where bfloat16 can be asked for and is used if the processor has it."""
    deterministic: bool = False
    """On CUDA, use only algorithms that give the same bits in each run, and fail where there is none. On the
    processor runs are equal anyway."""
    evaluation_mask_share: Fraction = 0.3
    """Probability that a gene is hidden when held-out studies are evaluated."""
    evaluation_masks: Count = 2
    """Masks per held-out sample; errors are averaged over them."""

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
    """The same base from other seeds too, for the comparison of embeddings; results go to
    `pretrain/<name>_seed<seed>/`."""


@dataclass(frozen=True)
class ComparisonSettings:
    """Whether pre-training helps, by linear classification of labelled held-out studies from the frozen embedding,
    principal components, genes and an untrained encoder."""

    folds: Annotated[int, Limits(ge=2)] = 5
    """Parts that studies, or the samples of one study, are divided into; each is tested on once."""
    repeats: Count = 3
    """Random divisions."""
    penalties: Annotated[list[Positive], Limits(min_length=1)] = listed(10, 1, 100, 1000)
    """Inverse penalties of the logistic regression that every method tries, each on its two forms of features, on
    validation studies; without these, the first is used."""
    confidence: Fraction = 0.95
    """Of the intervals."""
    smallest_difference: Positive = 0.02
    """Difference in balanced accuracy that is worth finding; a comparison that cannot rule it out is
    underpowered."""


@dataclass(frozen=True)
class ComparisonTask:
    """One label."""

    split: str
    """Split of `corpus.splits`; classifiers are trained and tested on its test studies, tuned on its validation
    studies."""
    label: Text
    """Sample attribute whose values are the classes (curated ones only)."""
    protocol: Literal["cross_study", "within_study"] = "cross_study"
    """Test on other studies than those trained on, or cross-validate within each."""
    classes: Distinct[Text] = listed()
    """Values of the attribute that may be classes; empty for all."""
    group: str = ""
    """Attribute, such as the animal, of which no value may be on both sides within a study. Empty for none."""


@dataclass(frozen=True)
class Comparison(ComparisonSettings):
    """Whether pre-training helps, by linear classification of labelled held-out studies from the frozen embedding,
    principal components, genes and an untrained encoder."""

    tasks: dict[Name, ComparisonTask] = field(default_factory=dict)
    """Labels to tell, by name of the task; each is run with the bases of its own split."""


@dataclass(frozen=True, kw_only=True)
class PretrainSection:
    """Base models, pre-trained on the corpus."""

    minimum_gene_share: Share = 0.8
    """Share of a base model's genes below which a user's study is not embedded; genes that are missing are put at
    their mean."""
    comparison: Comparison = field(default_factory=Comparison)
    bases: Named[BaseEntry]
    """One base model per name; results go to `pretrain/<name>/`."""
