"""Whether the keys of the section `corpus` fit together."""

from pathlib import Path
from typing import Any

from scarceseq.errors import InputError


def check(config: dict[str, Any]) -> None:
    """Refuse combinations of keys of the corpus that cannot work."""
    corpus = config.get("corpus")
    if not corpus:
        return
    if "archive" not in config and not corpus["joined"]:
        raise InputError(
            "config key corpus: this section needs the section 'archive', or other runs' corpora under corpus.joined"
        )
    for folder in corpus["joined"]:
        for name in ("corpus.h5ad", "attributes.parquet", "metadata.parquet"):
            if not (Path(folder) / name).is_file():
                raise InputError(f"config key corpus.joined: there is no file '{folder}/{name}'; finish that run first")
    vocabulary = corpus["vocabulary"]
    if vocabulary["attributes"]:
        from scarceseq.corpus.vocabulary import read_vocabulary  # what reads tables is slow to import

        read_vocabulary(vocabulary["attributes"], vocabulary["table"])
    for split, roles in corpus["splits"].items():
        total = sum(roles["shares"].values())
        if total and abs(total - 1) > 1e-9:
            raise InputError(f"config key corpus.splits.{split}.shares: they add up to {total:g}, not to 1")
