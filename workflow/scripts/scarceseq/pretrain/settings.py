"""Settings of one base model; the config schema holds their defaults and their meaning."""

from dataclasses import asdict, dataclass

# What may change between a checkpoint and the run that goes on with it.
INDECISIVE = ("samples_at_once", "checkpoint_every_steps", "loss_spike_factor", "loss_spike_steps")


@dataclass(frozen=True)
class PretrainSettings:
    """One entry of the config key ``pretrain.bases``, field by field."""

    split: str
    architecture: str
    seed: int
    roles: tuple
    steps: int
    batch_samples: int
    samples_at_once: int
    objectives: dict
    mask_share: float
    input_noise: float
    learning_rate: float
    weight_decay: float
    warm_up_steps: int
    maximum_gradient_norm: float
    minimum_scale: float
    hidden_widths: tuple
    width: int
    decoder_widths: tuple
    depth: int
    heads: int
    token_width: int
    expression_bins: int
    attention: str
    validate_every_steps: int
    checkpoint_every_steps: int
    early_stopping_validations: int
    loss_spike_factor: float
    loss_spike_steps: int
    precision: str
    deterministic: bool
    evaluation_mask_share: float
    evaluation_masks: int

    @property
    def attribute_keys(self):
        """Attributes of the samples that some objective learns."""
        return sorted({key for options in self.objectives.values() for key in options.get("keys", [])})

    def as_dictionary(self):
        """Plain dictionary of lists, numbers and dictionaries, as JSON and the architectures read it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    def decisive(self):
        """The settings on which the trained weights depend, but for rounding."""
        return {key: value for key, value in self.as_dictionary().items() if key not in INDECISIVE}
