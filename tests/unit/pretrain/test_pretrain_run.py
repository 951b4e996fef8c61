"""One base model from the corpus: deterministic, blind to held-out values, better than the mean."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from scarceseq.errors import InputError
from scarceseq.files import read_json, write_json
from scarceseq.pretrain import evaluation, evaluation_state
from scarceseq.pretrain.model import load_base, save_base
from scarceseq.pretrain.run import checkpoint_of, held_out_groups, pretrain
from scarceseq.pretrain.samples import read_matrix
from small_corpus import small_expression, write_corpus


@pytest.fixture
def matrix(tmp_path):
    return read_matrix(*write_corpus(tmp_path / "corpus", *small_expression()), "default")


def run_and_save(matrix, settings, folder):
    folder.mkdir()
    base, history, found = pretrain(matrix, settings, 9, torch.device("cpu"))
    save_base(base, folder / "model.safetensors", folder / "model.json")
    return base, pd.DataFrame(history), pd.DataFrame(found)


def test_two_runs_write_equal_bytes(matrix, settings, tmp_path):
    for name in "ab":
        run_and_save(matrix, settings, tmp_path / name)
    for file in ("model.safetensors", "model.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_another_seed_writes_other_weights(matrix, settings, tmp_path):
    run_and_save(matrix, settings, tmp_path / "a")
    run_and_save(matrix, dataclasses.replace(settings, seed=2), tmp_path / "b")
    a, b = ((tmp_path / name / "model.safetensors").read_bytes() for name in "ab")
    assert a != b


def test_values_of_test_studies_change_no_tensor(matrix, settings, tmp_path):
    expression, studies = small_expression()
    test_rows = matrix.rows(["test"])
    expression[test_rows] = np.random.default_rng(0).permuted(expression[test_rows], axis=1)
    changed = read_matrix(*write_corpus(tmp_path / "changed", expression, studies), "default")
    run_and_save(matrix, settings, tmp_path / "a")
    run_and_save(changed, settings, tmp_path / "b")
    a, b = ((tmp_path / name / "model.safetensors").read_bytes() for name in "ab")
    assert changed.fingerprint != matrix.fingerprint
    assert a == b


def test_values_of_scout_studies_change_the_normalisation_alone_they_may(matrix, settings, tmp_path):
    """The leak test above can fail: the same change in a role that is fitted on is noticed."""
    expression, studies = small_expression()
    expression[matrix.rows(["scout"])] += 1
    changed = read_matrix(*write_corpus(tmp_path / "changed", expression, studies), "default")
    before, _, _ = run_and_save(matrix, settings, tmp_path / "a")
    after, _, _ = run_and_save(changed, settings, tmp_path / "b")
    assert not torch.equal(before.mean, after.mean)


def test_learns_more_than_the_gene_mean(matrix, settings, tmp_path):
    longer = dataclasses.replace(settings, steps=300)
    base, history, scores = run_and_save(matrix, longer, tmp_path / "a")
    assert set(scores["metric"]) == {"masked_mse"}
    error = scores.groupby("predictor")["value"].mean()
    assert error["model"] < 0.7 * error["gene_mean"]
    assert set(error.index) == {"model", "gene_mean", "pca", "pca_tuned"}
    assert history["step"].tolist() == list(range(20, 301, 20))
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    assert set(zip(scores["split_role"], scores["study"], strict=True)) == set(held_out_groups(matrix, 50, 1))
    assert base.information["activations"] == "float32"
    assert base.information["training_studies"] == [f"study{number:02d}" for number in range(6)]


def test_saved_model_is_read_back_and_embeds_equally(matrix, settings, tmp_path):
    base, _, _ = run_and_save(matrix, settings, tmp_path / "a")
    again = load_base(tmp_path / "a" / "model.safetensors", tmp_path / "a" / "model.json")
    values = again.standardise(np.asarray(matrix.expression[:5]))
    assert torch.equal(base.network.embed(values), again.network.embed(values))
    assert again.gene_ids == matrix.gene_ids
    assert again.information["corpus_fingerprint"] == matrix.fingerprint


def test_without_held_out_studies_the_tables_are_empty_not_wrong(matrix, settings, tmp_path):
    roles = np.where(np.isin(matrix.roles, ["validation", "test"]), "pretrain", matrix.roles)
    _, history, scores = run_and_save(dataclasses.replace(matrix, roles=roles), settings, tmp_path / "a")
    assert history["validation_loss"].isna().all()
    assert scores.empty


def test_of_large_held_out_studies_some_samples_are_drawn_by_the_seed(matrix):
    whole, few, again, other = (held_out_groups(matrix, *given) for given in ((50, 1), (4, 1), (4, 1), (4, 2)))
    assert list(whole) == list(few)
    for key, rows in whole.items():
        assert set(few[key]) <= set(rows)
        assert len(few[key]) == min(4, len(rows))
        assert np.array_equal(few[key], again[key])
    assert any(not np.array_equal(few[key], other[key]) for key in few)


def test_an_evaluation_that_was_killed_goes_on_with_the_study_where_it_was(matrix, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation_state, "SAVE_EVERY_SECONDS", -1)
    _, _, expected = run_and_save(matrix, settings, tmp_path / "whole")
    plain, counted = evaluation._scores, []

    def stop_at(number):
        def scores(*given):
            counted.append(1)
            if len(counted) == number:
                raise KeyboardInterrupt
            return plain(*given)

        return scores

    monkeypatch.setattr(evaluation, "_scores", stop_at(3))
    checkpoint = checkpoint_of(tmp_path / "checkpoint", matrix, settings, 9, torch.device("cpu"), "code")
    with pytest.raises(KeyboardInterrupt):
        pretrain(matrix, settings, 9, torch.device("cpu"), checkpoint)
    fitted = []
    monkeypatch.setattr(evaluation, "fit_components", lambda *given: fitted.append(1))
    monkeypatch.setattr(evaluation, "_scores", stop_at(100))
    _, _, found = pretrain(matrix, settings, 9, torch.device("cpu"), checkpoint)
    pd.testing.assert_frame_equal(pd.DataFrame(found), expected)
    assert fitted == []
    assert len(counted) == len(held_out_groups(matrix, 50, 1)) + 1, "two studies were kept, the third was begun twice"


def test_no_sample_to_train_on_is_said(matrix, settings):
    nobody = dataclasses.replace(matrix, roles=np.full(len(matrix.roles), "test"))
    with pytest.raises(InputError, match="0 samples have a role in"):
        pretrain(nobody, settings, 9, torch.device("cpu"))


def test_loss_that_is_not_finite_stops_the_run(matrix, settings):
    wild = dataclasses.replace(settings, learning_rate=1e30, maximum_gradient_norm=1e30, warm_up_steps=0)
    with pytest.raises(InputError, match=r"the loss is (nan|inf) at step \d+ of 60; lower learning_rate"):
        pretrain(matrix, wild, 9, torch.device("cpu"))


def test_expression_with_other_genes_is_refused(matrix, settings, tmp_path):
    base, _, _ = run_and_save(matrix, dataclasses.replace(settings, steps=1), tmp_path / "a")
    with pytest.raises(InputError, match="knows 40 genes"):
        base.standardise(np.zeros((2, 39), dtype=np.float32))


def test_model_and_json_of_different_networks_are_refused(matrix, settings, tmp_path):
    run_and_save(matrix, dataclasses.replace(settings, steps=1), tmp_path / "a")
    run_and_save(matrix, dataclasses.replace(settings, steps=1, width=3), tmp_path / "b")
    with pytest.raises(InputError, match="does not fit"):
        load_base(tmp_path / "a" / "model.safetensors", tmp_path / "b" / "model.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gene_ids", None),
        ("gene_ids", ["a", "b"]),
        ("architecture", None),
        ("settings", None),
        ("settings", {"width": "wide"}),
        ("classes", {"tissue": ["brain"]}),
    ],
)
def test_a_json_that_lacks_or_garbles_what_a_model_needs_is_refused(matrix, settings, tmp_path, key, value):
    run_and_save(matrix, dataclasses.replace(settings, steps=1), tmp_path / "a")
    information = read_json(tmp_path / "a" / "model.json")
    del information[key]
    write_json(information | ({} if value is None else {key: value}), tmp_path / "a" / "model.json")
    with pytest.raises(InputError, match=r"does not fit .*model\.json"):
        load_base(tmp_path / "a" / "model.safetensors", tmp_path / "a" / "model.json")
