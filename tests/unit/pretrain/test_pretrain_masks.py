"""Masks and noise: what is drawn depends on the seed and the place in the batch, not on how the batch is cut."""

import dataclasses

import numpy as np
import pytest
import torch
from scarceseq.pretrain import masking
from scarceseq.pretrain.batches import cut_batch, make_batch
from scarceseq.pretrain.masking import draw_mask, fill_noise, fill_places
from scarceseq.seeds import derive


@pytest.mark.parametrize("share", [0.001, 0.3, 0.5, 0.999])
def test_mask_hides_the_share_asked_for_to_a_256th(share):
    mask = draw_mask(400, 5001, share, 3)
    expected = min(max(round(share * 256), 1), 255) / 256
    deviation = (expected * (1 - expected) / mask.numel()) ** 0.5
    assert mask.double().mean().item() == pytest.approx(expected, abs=5 * deviation)


def test_entries_of_a_mask_are_independent():
    """Shares of genes and of samples, and of pairs of neighbours, vary as those of independent draws do."""
    mask = draw_mask(2000, 3000, 0.3, 5).double().numpy()
    share = 77 / 256
    variance = share * (1 - share)
    for axis in (0, 1):
        assert mask.mean(axis=axis).var() / (variance / mask.shape[axis]) == pytest.approx(1, abs=0.15)
    together = (mask[:, 1:] * mask[:, :-1]).mean()
    assert together == pytest.approx(share**2, abs=5 * (share**2 / mask.size) ** 0.5)


def test_noise_is_gaussian():
    scipy_stats = pytest.importorskip("scipy.stats")
    noise = torch.empty(200, 300)
    fill_noise(noise, 0.5, 1)
    assert scipy_stats.kstest(noise.ravel() / 0.5, "norm").pvalue > 0.01


@pytest.mark.parametrize("samples_at_once", [0, 1, 3, 4, 7, 16])
def test_parts_of_a_batch_see_what_the_whole_sees(settings, samples_at_once, monkeypatch):
    monkeypatch.setattr(masking, "BLOCK_SAMPLES", 4)
    settings = dataclasses.replace(settings, batch_samples=15)
    expression = torch.randn(15, 9)
    whole = make_batch(np.arange(15), expression, range(15), settings, 8)
    parts = cut_batch(15, samples_at_once)
    found = [make_batch(np.arange(15)[p], expression[p.start : p.stop], p, settings, 8) for p in parts]
    assert [len(part.samples) for part in found] == [len(part) for part in parts]
    assert torch.equal(torch.cat([part.mask for part in found]), whole.mask)
    assert torch.equal(torch.cat([part.noise for part in found]), whole.noise)
    other = make_batch(np.arange(15), expression, range(15), settings, 9)
    assert not torch.equal(other.mask, whole.mask)


def test_a_part_draws_only_the_blocks_it_meets(monkeypatch):
    monkeypatch.setattr(masking, "BLOCK_SAMPLES", 4)
    drawn = []

    def fill(rows, seed):
        drawn.append(len(rows))
        rows.fill_(seed % 1000)

    found = torch.empty(4, 2)
    fill_places(found, fill, range(5, 9), 10, 1)
    assert drawn == [4, 2]
    assert (found[:3] == derive(1, 1) % 1000).all()
    assert (found[3] == derive(1, 2) % 1000).all()


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_no_mask(settings, threads, monkeypatch):
    monkeypatch.setattr(masking, "BLOCK_SAMPLES", 4)
    settings = dataclasses.replace(settings, batch_samples=50)
    expected = torch.cat([draw_mask(min(4, 50 - 4 * k), 9, 0.3, derive(derive(8, "mask"), k)) for k in range(13)])
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert torch.equal(make_batch(np.arange(50), torch.zeros(50, 9), range(50), settings, 8).mask, expected)


def test_without_noise_none_is_drawn(settings):
    settings = dataclasses.replace(settings, input_noise=0.0)
    assert make_batch(np.arange(2), torch.zeros(2, 9), range(2), settings, 8).noise is None
