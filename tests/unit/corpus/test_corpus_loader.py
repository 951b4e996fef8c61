"""Batches for training. Oracle: the matrix itself, indexed by numpy."""

import itertools
import os
import threading

import numpy as np
import pytest
import torch
from scarceseq.corpus import loader as loading
from scarceseq.corpus import rows as reading
from scarceseq.corpus.loader import Loader, choose_mode
from scarceseq.corpus.order import WINDOW_ROWS, cut, draw_batches, draw_passes
from scarceseq.corpus.rows import RowReader, runs

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
]


@pytest.fixture(params=[np.float32, np.float16])
def matrix(request, tmp_path):
    """503 rows of 70 genes, mapped from disk."""
    np.save(tmp_path / "training.npy", np.random.default_rng(0).normal(size=(503, 70)).astype(request.param))
    return np.load(tmp_path / "training.npy", mmap_mode="r")


def one_pass(rows, seed, block_rows=1):
    return next(draw_passes(rows, seed, block_rows))


@pytest.mark.parametrize("block_rows", [1, 7])
def test_a_pass_has_each_row_once_in_an_order_of_its_own(block_rows):
    rows = np.arange(5000)[::3]
    first, second = itertools.islice(draw_passes(rows, 1, block_rows), 2)
    assert sorted(first) == sorted(second) == rows.tolist()
    assert not np.array_equal(first, second)
    assert np.array_equal(first, one_pass(rows, 1, block_rows))
    assert not np.array_equal(first, one_pass(rows, 2, block_rows))


def test_rows_are_truly_random():
    """Place and row are uncorrelated, and neighbours in the file are no likelier to meet in a batch than others."""
    order = one_pass(np.arange(20000), 3)
    assert abs(np.corrcoef(np.arange(20000), order)[0, 1]) < 0.03  # four standard deviations
    together = np.diff(np.sort(order[:19968].reshape(-1, 256), axis=1), axis=1) == 1
    assert together.mean() == pytest.approx(256 / 20000, rel=0.3)


def test_blocks_stay_together_within_a_window_and_are_mixed_there():
    order = one_pass(np.arange(10 * WINDOW_ROWS), 3, block_rows=64)
    blocks = [set((order[start : start + WINDOW_ROWS] // 64).tolist()) for start in range(0, len(order), WINDOW_ROWS)]
    assert {len(window) for window in blocks} == {WINDOW_ROWS // 64}
    assert len(set(order[:64] // 64)) > 16


def test_endless_batches_are_full_and_each_pass_has_each_row_once():
    rows = np.arange(100, 140)
    batches = list(itertools.islice(draw_batches(rows, 12, 1), 20))
    assert {len(batch) for batch in batches} == {12}
    stream = np.concatenate(batches)
    for start in range(0, len(stream) - 39, 40):
        assert sorted(stream[start : start + 40]) == rows.tolist()


@pytest.mark.parametrize("first", [1, 3, 4, 17])
@pytest.mark.parametrize("batch_rows", [12, 100])
def test_batches_left_out_are_not_drawn_and_change_no_other(first, batch_rows, monkeypatch):
    rows, drawn = np.arange(40), []
    expected = list(itertools.islice(draw_batches(rows, batch_rows, 1), first + 5))[first:]
    make = np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: drawn.append(seed) or make(seed))
    found = list(itertools.islice(draw_batches(rows, batch_rows, 1, first_batch=first), 5))
    np.testing.assert_array_equal(found, expected)
    assert drawn[0] == [1, first * batch_rows // len(rows)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("mode", ["resident", "stream"])
def test_batches_are_the_rows_of_the_matrix_the_last_included(matrix, mode, device):
    order = one_pass(np.arange(503), 1)
    seen = []
    for rows, values in Loader(matrix, cut(order, 64), device, mode=mode):
        assert values.dtype == torch.from_numpy(np.empty(0, matrix.dtype)).dtype
        assert values.device.type == device
        assert np.array_equal(values.cpu().numpy(), matrix[rows])
        seen.append(rows)
    assert [len(rows) for rows in seen] == [64] * 7 + [55]
    assert sorted(np.concatenate(seen)) == list(range(503))


@pytest.mark.parametrize("device", DEVICES)
def test_both_modes_give_the_same_bytes_after_normalisation(matrix, device):
    mean, scale = (torch.from_numpy(matrix[:9].astype(np.float32)).to(device) for _ in range(2))
    rows = np.arange(3, 400, 2)

    def batches(mode):
        order = itertools.islice(draw_batches(rows, 48, 5), 12)
        loader = Loader(matrix, order, device, lambda values: (values.float() - mean[0]) / scale[1], rows, mode)
        return [(drawn.tolist(), values.cpu().clone()) for drawn, values in loader]

    one, other = batches("resident"), batches("stream")
    assert len(one) == 12
    for (rows_one, values_one), (rows_other, values_other) in zip(one, other, strict=True):
        assert rows_one == rows_other
        assert torch.equal(values_one, values_other)
    expected = (matrix[one[3][0]].astype(np.float32) - mean[0].cpu().numpy()) / scale[1].cpu().numpy()
    np.testing.assert_allclose(one[3][1].numpy(), expected, rtol=1e-6)


def test_corpus_is_held_on_the_device_if_it_fits(monkeypatch):
    monkeypatch.setattr(loading, "free_bytes", lambda device: 1000)
    assert choose_mode("auto", 600, torch.device("cuda")) == "resident"
    assert choose_mode("auto", 601, torch.device("cuda")) == "stream"
    assert choose_mode("stream", 1, torch.device("cuda")) == "stream"
    with pytest.raises(ValueError, match="'swap' is none of auto, resident, stream"):
        choose_mode("swap", 1, torch.device("cuda"))


def test_the_processor_streams():
    assert choose_mode("auto", 1, torch.device("cpu")) == "stream"


def test_the_next_batches_are_read_while_one_is_used(matrix, monkeypatch):
    read, reached = [], threading.Event()

    def read_and_note(self, rows, out, original=RowReader.read):
        original(self, rows, out)
        read.append(len(rows))
        if len(read) == loading.SLOTS:
            reached.set()

    monkeypatch.setattr(RowReader, "read", read_and_note)
    batches = iter(Loader(matrix, cut(np.arange(503), 50), mode="stream"))
    _, values = next(batches)
    before = values.clone()
    assert reached.wait(10), "nothing was read ahead"
    assert torch.equal(values, before), "the batch in use was overwritten"
    assert len(read) == loading.SLOTS, "memory is bounded"
    batches.close()


def test_leaving_early_ends_the_thread(matrix):
    before = threading.active_count()
    batches = iter(Loader(matrix, draw_batches(np.arange(503), 50, 1), mode="stream", threads=1))
    next(batches)
    assert threading.active_count() == before + 1
    batches.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("mode", ["resident", "stream"])
@pytest.mark.parametrize("row", [-1, 503])
def test_a_row_that_is_not_there_is_an_error_of_the_loop(matrix, mode, row):
    with pytest.raises(IndexError):
        list(Loader(matrix, [np.arange(3), np.array([4, row])], mode=mode))


def test_a_resident_loader_refuses_rows_that_were_not_announced(matrix):
    with pytest.raises(IndexError, match="not among those announced"):
        list(Loader(matrix, [np.array([1, 2])], rows=np.array([1, 3]), mode="resident"))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_share_a_batch_and_change_nothing(matrix, threads):
    batches = [np.arange(3), np.arange(100, 300), np.array([4]), np.array([], dtype=int)]
    for rows, values in Loader(matrix, batches, threads=threads):
        assert np.array_equal(values.numpy(), matrix[rows])


def test_no_batches_are_no_batches(matrix):
    for mode in ("resident", "stream"):
        assert list(Loader(matrix, [], mode=mode)) == []


def test_an_array_in_memory_can_be_loaded_too():
    array = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    assert [values.tolist() for _, values in Loader(array, [np.array([8, 0])])] == [array[[8, 0]].tolist()]


def test_a_matrix_in_columns_is_refused(matrix):
    with pytest.raises(ValueError, match="C order"):
        RowReader(np.asfortranarray(matrix))


def test_neighbours_are_announced_in_one_piece():
    assert runs(np.array([0, 1, 2, 5, 8, 9])) == [(0, 3), (5, 1), (8, 2)]


@pytest.fixture
def requests(monkeypatch):
    """(place, bytes) of what the kernel is told."""
    asked = []
    monkeypatch.setattr(reading.os, "posix_fadvise", lambda _, place, count, advice: asked.append((place, count)))
    return asked


def not_in_memory(*_):
    raise BlockingIOError


def test_rows_on_disk_are_announced(matrix, requests, monkeypatch):
    monkeypatch.setattr(reading.os, "preadv", not_in_memory)
    RowReader(matrix).announce(np.array([7, 300, 6]))
    size = 70 * matrix.itemsize
    assert requests == [(matrix.offset + 6 * size, 2 * size), (matrix.offset + 300 * size, size)]


def test_rows_in_memory_are_not_announced(matrix, requests):
    matrix.sum()
    RowReader(matrix).announce(np.arange(503))
    assert requests == []


def test_one_missing_row_among_those_asked_for_is_enough(matrix, requests, monkeypatch):
    asked_for, in_memory = [], itertools.chain([1] * (reading.SAMPLED_ROWS - 1), [0])
    monkeypatch.setattr(
        reading.os, "preadv", lambda *call: asked_for.append(call) or next(in_memory) or not_in_memory()
    )
    RowReader(matrix).announce(np.arange(0, 160, 2))
    assert len(asked_for) == reading.SAMPLED_ROWS
    assert len(requests) == 80


def test_long_rows_are_announced_in_pieces_that_the_kernel_takes(matrix, requests, monkeypatch):
    monkeypatch.setattr(reading, "REQUEST_BYTES", 100)
    monkeypatch.setattr(reading.os, "preadv", not_in_memory)
    RowReader(matrix).announce(np.array([2]))
    assert sum(count for _, count in requests) == 70 * matrix.itemsize
    assert max(count for _, count in requests) == 100


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="files cannot be dropped from memory here")
def test_a_file_dropped_from_memory_is_found_to_be_on_disk(tmp_path):
    """Holds where files are on a disk; in a temporary folder in memory nothing can be dropped."""
    path = tmp_path / "training.npy"
    np.save(path, np.zeros((64, 5000), dtype=np.float32))
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        try:
            os.preadv(file.fileno(), [bytearray(1)], 640_000, os.RWF_NOWAIT)
            pytest.skip("this file system keeps dropped files in memory")
        except BlockingIOError:
            pass
        reader = RowReader(np.load(path, mmap_mode="r"))
        assert not reader._in_memory(np.arange(64))
        reader.matrix.sum()
        assert reader._in_memory(np.arange(64))
