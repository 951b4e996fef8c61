"""Whether the keys of the section `demo` fit together."""

from typing import Any

from scarceseq.errors import InputError


def check(config: dict[str, Any]) -> None:
    """Refuse more perturbations than there are genes to perturb, and another organism than is made."""
    demo = config.get("demo")
    if not demo:
        return
    if config["archive"]["organism"] != "mouse":
        raise InputError("config key archive.organism: the generated archive (section demo) is of mouse")
    if demo["perturbations"] * 4 > demo["genes"]:
        raise InputError("config key demo.perturbations: more than a quarter of demo.genes")
    if demo["doubles"] > demo["perturbations"] * (demo["perturbations"] - 1) // 2:
        raise InputError("config key demo.doubles: there are not so many pairs of demo.perturbations")
