"""What a long step has done so far, on disk: one that is killed goes on where it was."""

import hashlib
import json
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from scarceseq.errors import InputError
from scarceseq.files import read_json, sha256, write_json
from scarceseq.own_study.settings import FoldSettings
from scarceseq.progress import follow
from scarceseq.seals import seal_path

log = logging.getLogger(__name__)


class Unfinished:
    """Results by name, written as each comes to a JSON file beside the step's outputs, which is none of them.

    `fingerprint` is of what the results depend on; those of other data or settings are not used.
    """

    def __init__(self, path: str | Path, fingerprint: str) -> None:
        self.path, self.fingerprint = Path(path), fingerprint
        self.results: dict[str, Any] = {}
        if not self.path.exists():
            return
        try:
            kept = read_json(self.path)
        except (InputError, ValueError) as error:
            log.warning("%s cannot be read (%s): its step starts anew", self.path, error)
            return
        if kept.get("fingerprint") == fingerprint:
            self.results = kept["results"]
            log.info("going on after %d results of a run that was stopped", len(self.results))

    @classmethod
    def of(cls, path: str | Path, source: Any, params: Any) -> "Unfinished":
        """Of a rule's inputs, by their content, and its parameters."""
        contents = [sha256(file) for file in source]
        text = json.dumps([contents, dict(params.items())], sort_keys=True, default=str)
        return cls(path, hashlib.sha256(text.encode()).hexdigest())

    def add(self, name: str, result: Any) -> None:
        """Keep one more result, of which JSON gives back what it was."""
        self.results[name] = result
        write_json({"fingerprint": self.fingerprint, "results": self.results}, self.path)

    def result(self, name: str, make: Callable[[], Any]) -> Any:
        """The result of that name, made and kept if there is none yet."""
        if name not in self.results:
            self.add(name, make())
        return self.results[name]

    def table(self, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """The table of that name, made and kept if there is none yet."""
        columns = self.result(name, lambda: [[column, values.tolist()] for column, values in make().items()])
        return pd.DataFrame(dict(columns))

    def repeats(
        self, samples: pd.DataFrame, settings: FoldSettings, make: Callable[[int], pd.DataFrame]
    ) -> pd.DataFrame:
        """The tables of all repeats of a cross-validation; there is one where samples are held out."""
        count = 1 if samples["held_out"].any() else settings.repeats
        each = follow(range(count), "repeats of the cross-validation")
        tables = [self.table(str(repeat), partial(make, repeat)) for repeat in each]
        return pd.concat(tables, ignore_index=True)

    def delete(self) -> None:
        """When the step's outputs are written."""
        self.path.unlink(missing_ok=True)
        seal_path(self.path).unlink(missing_ok=True)
