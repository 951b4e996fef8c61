"""Mean profiles in coordinates, splits, and agreement of profiles."""

from types import SimpleNamespace

import numpy as np
import pytest
from scarceseq.errors import InputError
from scarceseq.screen.agreement import correlation, cosine, mean_squared_error, targeted_gene_mask
from scarceseq.screen.coordinates import read_coordinates
from scarceseq.screen.prepare import prepare_screen
from scarceseq.screen.splits import split_perturbations
from scarceseq.screen.symbols import current_symbols


def settings(**changes):
    chosen = {"kind": "coordinates", "transductive": True, "control": "control", "exclude": ["*"]}
    chosen |= {"name_key": "gene", "delta_key": "delta", "splits": 2, "test_share": 0.3}
    return SimpleNamespace(doubles=False, **chosen | changes)


def write(path, **arrays):
    np.savez(path, **arrays)
    return path


GENES = np.array(["B", "A", "control", "A", "*", "C"])
DELTA = np.arange(12.0).reshape(6, 2)


def test_guides_of_a_gene_are_averaged_and_control_rows_left_out(tmp_path):
    profiles, counts = read_coordinates(write(tmp_path / "s.npz", gene=GENES, delta=DELTA), settings(), {})
    assert list(profiles.obs_names) == ["A", "B", "C"]
    assert profiles.X.tolist() == [[4, 5], [0, 1], [10, 11]]
    assert list(profiles.obs["rows"]) == [2, 1, 1]
    assert (counts["rows"], counts["rows_left_out"]) == (4, 2)
    assert bool(profiles.uns["transductive"])


@pytest.mark.parametrize(
    ("arrays", "changes", "message"),
    [
        ({"gene": GENES, "delta": DELTA}, {"delta_key": "mean"}, "no array 'mean'.*gene, delta"),
        ({"gene": GENES[:4], "delta": DELTA}, {}, "does not fit 4 names"),
        ({"gene": GENES, "delta": np.where(DELTA == 11, np.nan, DELTA)}, {}, "profile of C.*not finite"),
        ({"gene": GENES, "delta": DELTA}, {"exclude": ["*", "A", "B"]}, "1 perturbation is left"),
    ],
)
def test_an_unusable_file_is_refused_by_name(tmp_path, arrays, changes, message):
    with pytest.raises(InputError, match=message):
        read_coordinates(write(tmp_path / "s.npz", **arrays), settings(**changes), {})


def test_renamed_genes_get_todays_symbol_unless_it_is_ambiguous(tmp_path):
    rows = ["AARS\tAARS1", "B\tB", "C\tD", "D\tE", "F\tG", "F\tH", "\tJ"]
    (tmp_path / "symbols.tsv").write_text("then\tnow\n" + "\n".join(rows) + "\n")
    chosen = settings(old_symbol_column="then", new_symbol_column="now")
    current = current_symbols(tmp_path / "symbols.tsv", chosen)
    # D is the symbol of another gene today, F was that of two genes
    assert current == {"AARS": "AARS1", "C": "D"}
    path = write(tmp_path / "s.npz", gene=np.array(["AARS", "B", "AARS1"]), delta=np.arange(6.0).reshape(3, 2))
    profiles, counts = read_coordinates(path, chosen, current)
    assert (list(profiles.obs_names), profiles.X.tolist()) == (["AARS1", "B"], [[2, 3], [2, 3]])
    assert counts["rows_renamed"] == 1


def test_a_table_of_symbols_that_renames_nothing_is_refused(tmp_path):
    (tmp_path / "symbols.tsv").write_text("then\tnow\nA\tA\n")
    with pytest.raises(InputError, match="columns 'then' and 'now'"):
        current_symbols(tmp_path / "symbols.tsv", settings(old_symbol_column="then", new_symbol_column="now"))


def test_pickled_objects_are_refused(tmp_path):
    write(tmp_path / "s.npz", gene=GENES.astype(object), delta=DELTA)
    with pytest.raises(ValueError, match="pickle"):
        read_coordinates(tmp_path / "s.npz", settings(), {})


def test_a_screen_in_coordinates_has_no_differential_genes(tmp_path):
    screen = prepare_screen("s", write(tmp_path / "s.npz", gene=GENES, delta=DELTA), settings(), 1)
    assert screen["differential"].empty
    assert screen["summary"] | {"pool": 2, "test": 1} == screen["summary"]


def test_splits_are_of_equal_size_differ_and_do_not_depend_on_the_order_of_names():
    names = [f"G{index}" for index in range(50)]
    table = split_perturbations(names, 4, 0.2, 11)
    tests = [set(rows["perturbation"]) for _, rows in table[table["role"] == "test"].groupby("split")]
    assert [len(test) for test in tests] == [10] * 4
    assert len({frozenset(test) for test in tests}) == 4
    assert (table.groupby("split")["perturbation"].nunique() == 50).all()
    assert table.equals(split_perturbations(names[::-1], 4, 0.2, 11))
    first = split_perturbations(names, 2, 0.2, 11)
    assert first.equals(table[table["split"] < 2])


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_a_test_share_that_leaves_nothing_is_refused(share):
    with pytest.raises(InputError, match="test_share"):
        split_perturbations(["A", "B", "C"], 2, share, 1)


def test_agreement_equals_numpy_on_the_genes_that_count():
    generator = np.random.default_rng(2)
    first, second = generator.normal(size=(2, 3, 8))
    genes = [f"G{gene}" for gene in range(8)]
    mask = targeted_gene_mask(["G2", "elsewhere", "G7"], genes)
    assert (~mask).sum() == 2
    for row in range(3):
        a, b = first[row, mask[row]], second[row, mask[row]]
        assert correlation(first, second, mask)[row] == pytest.approx(np.corrcoef(a, b)[0, 1])
        assert mean_squared_error(first, second, mask)[row] == pytest.approx(((a - b) ** 2).mean())
        assert cosine(first, second, mask)[row] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_a_constant_profile_correlates_with_nothing():
    mask = np.ones((1, 5), dtype=bool)
    assert correlation(np.full((1, 5), 0.3), np.arange(5.0)[None], mask)[0] == 0
    assert np.isnan(mean_squared_error(np.ones((1, 5)), np.ones((1, 5)), ~mask)[0])
