"""The files that a report is made of, by name; what a run did not make is absent."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from scarceseq.errors import InputError
from scarceseq.files import read_json, read_table


class Inputs:
    """Named input files of the report: ``{"samples": "…", "pretrain_history": ["…/a/history.parquet", …]}``.

    `labels` says what each file of a list is of: ``{"pretrain_history": [{"base": "a"}, …]}``.
    """

    def __init__(
        self,
        named: Mapping[str, str | Path | Sequence[str]],
        labels: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    ) -> None:
        self._paths = {name: self._listed(value) for name, value in named.items()}
        self._labels = labels or {}

    @staticmethod
    def _listed(value: str | Path | Sequence[str]) -> list[Path]:
        return [Path(value)] if isinstance(value, (str, Path)) else [Path(path) for path in value]

    def has(self, *names: str) -> bool:
        """Whether all of these inputs were given."""
        return all(self._paths.get(name) for name in names)

    def paths(self, name: str) -> list[Path]:
        """All files of an input, in the order given; empty if there are none."""
        return self._paths.get(name, [])

    def path(self, name: str) -> Path:
        """The one file of an input."""
        paths = self.paths(name)
        if len(paths) != 1:
            raise InputError(f"report input {name}: {len(paths)} files where one is expected; check rules/report.smk")
        return paths[0]

    def labelled(self, name: str) -> list[tuple[Mapping[str, str], Path]]:
        """(what it is of, file) of each file of an input, in the order given."""
        paths = self.paths(name)
        labels = self._labels.get(name, [{}] * len(paths)) if paths else []
        return list(zip(labels, paths, strict=True))

    def table(self, name: str) -> pd.DataFrame:
        """The one table of an input."""
        return read_table(self.path(name))

    def stacked(self, name: str) -> pd.DataFrame:
        """All tables of an input as one; what each is of comes first, unless the table says so itself."""
        frames = []
        for labels, path in self.labelled(name):
            frame = read_table(path)
            for key in reversed(list(labels)):
                if key not in frame.columns:
                    frame.insert(0, key, labels[key])
            frames.append(frame)
        filled = [frame for frame in frames if len(frame)] or frames[:1]  # an empty one has no types to go by
        return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()

    def values(self, name: str) -> list[tuple[Mapping[str, str], Any]]:
        """(what it is of, parsed JSON) of each file of an input."""
        return [(labels, read_json(path)) for labels, path in self.labelled(name)]
