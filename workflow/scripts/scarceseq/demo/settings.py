"""Settings of the small world; defaults live in `workflow/schemas/demo.schema.yaml`."""

from dataclasses import dataclass, fields

from scarceseq.errors import InputError


@dataclass(frozen=True)
class DemoSettings:
    """Keys of the config section ``demo``; each is described in the schema."""

    studies: int
    genes: int
    perturbations: int
    cells_per_perturbation: int
    tissues: int
    treatments: int
    programmes: int
    graph_smoothness: float
    tissue_strength: float
    treatment_strength: float
    batch_strength: float
    effect_strength: float
    annotation_noise: float


def read_settings(settings):
    """Settings from the validated config section.

    Parameters
    ----------
    settings : dict
        Every key of `DemoSettings`, nothing else.

    Raises
    ------
    InputError
        If a key is absent or unknown, or more perturbations are asked for than there are genes to perturb.
    """
    known = {field.name for field in fields(DemoSettings)}
    if wrong := sorted(known.symmetric_difference(settings)):
        raise InputError(f"config section demo: keys {wrong} are absent or unknown; see demo.schema.yaml")
    if settings["perturbations"] > settings["genes"] // 4:
        raise InputError(
            f"config section demo: {settings['perturbations']} perturbations of {settings['genes']} genes;"
            " at most a quarter of the genes can be perturbed, raise demo.genes"
        )
    return DemoSettings(**settings)
