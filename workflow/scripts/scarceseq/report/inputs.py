"""The files that a report is made of, by name; what a run did not make is absent."""

from pathlib import Path

from scarceseq.errors import InputError
from scarceseq.files import read_json, read_table


class Inputs:
    """Named input files of the report.

    Parameters
    ----------
    named : dict of str to (str or list of str)
        For example ``{"samples": "…/samples.parquet", "pretrain_history": ["…/a/history.parquet", …]}``.
    """

    def __init__(self, named):
        self._paths = {name: self._listed(value) for name, value in named.items()}

    @staticmethod
    def _listed(value):
        return [Path(value)] if isinstance(value, (str, Path)) else [Path(path) for path in value]

    def has(self, *names):
        """Whether all of these inputs were given."""
        return all(self._paths.get(name) for name in names)

    def paths(self, name):
        """All files of an input, in the order given; empty if there are none."""
        return self._paths.get(name, [])

    def path(self, name):
        """The one file of an input."""
        paths = self.paths(name)
        if len(paths) != 1:
            raise InputError(f"report input {name}: {len(paths)} files where one is expected; check rules/report.smk")
        return paths[0]

    def table(self, name):
        """The one table of an input."""
        return read_table(self.path(name))

    def stacked(self, name, *keys):
        """All tables of an input as one, with columns from their folders.

        Parameters
        ----------
        name : str
        *keys : str
            Column names for the innermost folders of each path, outermost first; ``None`` skips a folder.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        frames = []
        for path in self.paths(name):
            frame = read_table(path)
            for depth, key in enumerate(reversed(keys)):
                if key is not None and key not in frame.columns:
                    frame.insert(0, key, path.parent.parts[-1 - depth])
            frames.append(frame)
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def values(self, name):
        """(path, parsed JSON) of each file of an input."""
        return [(path, read_json(path)) for path in self.paths(name)]
