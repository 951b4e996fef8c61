"""Settings of one scout scheme; the config schema holds their defaults and their meaning."""

from dataclasses import asdict, dataclass

# Parts of a scout's samples.
TRAIN, HELD_OUT = "train", "held_out"


@dataclass(frozen=True)
class SchemeSettings:
    """One entry of the config key ``guide.schemes``, field by field."""

    scheme: str
    roles: tuple
    scouts: int
    scouts_per_block: int
    label: str
    classes_per_scout: int
    reduction: str
    components: int
    clusters: int
    minimum_class_samples: int
    samples_per_class: int
    held_out_share: float
    shuffle_labels: bool
    optimiser: str
    steps: int
    batch_samples: int
    learning_rate: float
    momentum: float
    minimum_held_out_accuracy: float
    displacement: str
    head: str
    normalisation: str
    temperature: str
    scale: float
    sparse_below: float

    def as_dictionary(self):
        """Plain dictionary of lists and numbers, as JSON writes it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
