"""Errors whose message a user can act on."""


class InputError(ValueError):
    """Input cannot be used: the message names the file, the row or key, and what to do."""


class DownloadError(RuntimeError):
    """A file could not be had from any mirror."""
