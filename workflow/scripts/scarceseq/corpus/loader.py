"""Batches of rows of the training matrix on the device that computes."""

import contextlib
import itertools
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import numpy as np
import torch

from scarceseq.corpus.rows import RowReader

# Share of the device's free memory that the corpus may fill; the rest is the network's.
RESIDENT_SHARE = 0.6
# Batches in flight: one computed with, one ready, one being read.
SLOTS = 3
UPLOAD_BYTES = 2**26
MODES = ("auto", "resident", "stream")


def choose_mode(mode: str, matrix_bytes: int, device: torch.device) -> str:
    """``resident`` if the rows fit into the memory of a separate device, else ``stream``, unless `mode` says which.

    The processor has no other memory than the one that the kernel keeps files in, so it streams.
    """
    if mode not in MODES:
        raise ValueError(f"mode '{mode}' is none of {', '.join(MODES)}")
    if mode != "auto":
        return mode
    return "resident" if matrix_bytes <= RESIDENT_SHARE * free_bytes(device) else "stream"


def free_bytes(device: torch.device) -> int:
    """Free memory of a separate device; 0 for the processor."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


class Loader:
    """Iterate over (rows, values): of the matrix's type, (rows, genes), on the device. The same values in both modes.

    In mode ``resident`` the rows are copied to the device once. In mode ``stream`` a thread reads ahead, and values
    that are not changed by `prepare` are valid until the next batch is asked for.

    Parameters
    ----------
    matrix : numpy.ndarray, (samples, genes)
        ``training.npy``, mapped.
    batches : iterable of numpy.ndarray of int
        Rows of each batch, e.g. from `scarceseq.corpus.order`.
    prepare : callable, optional
        Done to each batch on the device, e.g. ``base.standardise``, which also casts.
    rows : numpy.ndarray of int, optional
        Rows that occur in `batches`, if not all.
    mode : {'auto', 'resident', 'stream'}
    announced_batches : int
        Batches whose rows the disk is told of together; with blocks of rows, as many as a window of them has.
    threads : int, optional
        That share the copying of a batch; as many as torch uses if not given.

    Attributes
    ----------
    mode : str
        The mode chosen.
    """

    def __init__(
        self,
        matrix: np.ndarray,
        batches: Iterable[np.ndarray],
        device: str | torch.device = "cpu",
        prepare: Callable[[torch.Tensor], torch.Tensor] | None = None,
        rows: np.ndarray | None = None,
        mode: str = "auto",
        announced_batches: int = 2,
        threads: int | None = None,
    ) -> None:
        self.matrix, self.batches, self.device = matrix, batches, torch.device(device)
        self.prepare = prepare or (lambda values: values)
        self.rows = np.arange(len(matrix)) if rows is None else np.sort(rows)
        self.announced_batches = announced_batches
        self.threads = threads or torch.get_num_threads()
        self.mode = choose_mode(mode, len(self.rows) * matrix.shape[1] * matrix.itemsize, self.device)

    def __iter__(self) -> Iterator[tuple[np.ndarray, Any]]:
        with contextlib.closing(RowReader(self.matrix, self.threads)) as reader:
            batches = self._resident(reader) if self.mode == "resident" else self._stream(reader)
            with contextlib.closing(batches):
                for rows, values in batches:
                    yield rows, self.prepare(values)

    def _resident(self, reader: RowReader) -> Generator[tuple[np.ndarray, torch.Tensor], None, None]:
        held = self._upload(reader)
        for rows in self.batches:
            place = np.searchsorted(self.rows, rows)
            if not np.array_equal(self.rows[np.minimum(place, len(self.rows) - 1)], rows):
                raise IndexError("a batch has rows that are not among those announced as `rows`")
            yield rows, held.index_select(0, torch.from_numpy(place).to(self.device))

    def _upload(self, reader: RowReader) -> torch.Tensor:
        genes = self.matrix.shape[1]
        at_once = max(1, UPLOAD_BYTES // reader.row_bytes)
        buffer = np.empty((at_once, genes), dtype=self.matrix.dtype)
        held = torch.empty((len(self.rows), genes), dtype=torch.from_numpy(buffer).dtype, device=self.device)
        for start in range(0, len(self.rows), at_once):
            rows = self.rows[start : start + at_once]
            reader.announce(rows)
            reader.read(rows, buffer[: len(rows)])
            held[start : start + len(rows)] = torch.from_numpy(buffer[: len(rows)])
        return held

    def _stream(self, reader: RowReader) -> Generator[tuple[np.ndarray, torch.Tensor], None, None]:
        # The buffer used last is still in the cache of the processor.
        free, ready, stop = queue.LifoQueue(), queue.Queue(), threading.Event()
        for _ in range(SLOTS):
            free.put(Slot())
        arguments = (self.batches, reader, self.announced_batches, self.device, free, ready, stop)
        thread = threading.Thread(target=_read_ahead, args=arguments, daemon=True)
        thread.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                rows, slot = item
                yield rows, slot.values(len(rows), self.device)
                free.put(slot)
        finally:
            stop.set()
            free.put(Slot())
            thread.join()


class Slot:
    """A buffer for one batch, in memory that a separate device can fetch from by itself."""

    def __init__(self) -> None:
        self.buffer: torch.Tensor | None = None
        self.fetched: torch.cuda.Event | None = None

    def fill(self, rows: np.ndarray, reader: RowReader, device: torch.device) -> None:
        """Read `rows`, once the device has fetched what was here before."""
        if self.fetched is not None:
            self.fetched.synchronize()
        if self.buffer is None or len(self.buffer) < len(rows):
            kind = torch.from_numpy(np.empty(0, dtype=reader.matrix.dtype)).dtype
            shape = (len(rows), reader.matrix.shape[1])
            self.buffer = torch.empty(shape, dtype=kind, pin_memory=device.type == "cuda")
        reader.read(rows, self.buffer[: len(rows)].numpy())

    def values(self, rows: int, device: torch.device) -> torch.Tensor:
        """The batch on `device`."""
        assert self.buffer is not None
        values = self.buffer[:rows].to(device, non_blocking=True)
        if device.type == "cuda":
            self.fetched = torch.cuda.Event()
            self.fetched.record()
        return values


def _read_ahead(
    batches: Iterable[np.ndarray],
    reader: RowReader,
    announced_batches: int,
    device: torch.device,
    free: queue.LifoQueue,
    ready: queue.Queue,
    stop: threading.Event,
) -> None:
    """Put (rows, filled slot) of each batch into `ready`, then None; or the error that ended it."""
    try:
        for rows in _announced(batches, reader, announced_batches):
            slot = free.get()
            if stop.is_set():
                return
            slot.fill(rows, reader, device)
            ready.put((rows, slot))
        ready.put(None)
    except Exception as error:
        ready.put(error)


def _announced(batches: Iterable[np.ndarray], reader: RowReader, together: int) -> Iterator[np.ndarray]:
    """The batches; the next `together` of them are announced before as many are read."""
    batches = iter(batches)
    now = _next_group(batches, reader, together)
    while now:
        following = _next_group(batches, reader, together)
        yield from now
        now = following


def _next_group(batches: Iterator[np.ndarray], reader: RowReader, together: int) -> list[np.ndarray]:
    group = list(itertools.islice(batches, together))
    if group:
        reader.announce(np.concatenate(group))
    return group
