"""Criteria against brute force, kernels of several sources, and what a lab's tables do to the list."""

import numpy as np
import pandas as pd
import pytest
from scarceseq.design.curves import equivalent_random
from scarceseq.design.design import design
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.walk import neighbourhood_cosine
from test_design_choice import DEFAULTS


def random_graph(seed):
    generator = np.random.default_rng(seed)
    pairs = {tuple(pair) for pair in generator.integers(30, size=(80, 2)) if pair[0] != pair[1]}
    rows = [(f"G{a:02d}", f"G{b:02d}", 0.5) for a, b in sorted(pairs)]
    return graph_from_edges(pd.DataFrame(rows, columns=["source", "target", "weight"]))


SOURCES = [random_graph(1), random_graph(2)]
GENES = SOURCES[0].nodes


@pytest.fixture
def run(tmp_path):
    """Function that designs with lists given as text."""

    def function(sources=SOURCES, **changes):
        for key, value in changes.items():
            if DEFAULTS[key] is None and isinstance(value, str):
                (tmp_path / f"{key}.tsv").write_text(value)
                changes[key] = str(tmp_path / f"{key}.tsv")
        return design(sources, DEFAULTS | {"criterion": "v_optimal"} | changes, 3)

    return function


def covariance(genes):
    """Oracle: the mean of the graphs' kernels, and one."""
    kernels = [neighbourhood_cosine(graph, genes) for graph in SOURCES]
    for kernel in kernels:
        np.fill_diagonal(kernel, 1)
    return (kernels[0] + kernels[1]) / 2 + 1


def left(genes, rows, targets):
    """Oracle: posterior variances of the targets, by inverting the matrix."""
    kernel = covariance(genes)
    if len(rows):
        some = kernel[:, rows]
        kernel = kernel - some @ np.linalg.inv(kernel[np.ix_(rows, rows)] + np.eye(len(rows))) @ some.T
    return np.diag(kernel)[targets]


def test_v_optimal_takes_what_brute_force_takes(run):
    order, everyone = run(budget=4).order["gene"].tolist(), np.arange(len(GENES))
    taken = []
    for gene in order:
        sums = [left(GENES, [*taken, each], everyone).sum() for each in everyone if each not in taken]
        own = left(GENES, [*taken, int(np.flatnonzero(gene == GENES)[0])], everyone).sum()
        assert own == pytest.approx(min(sums), abs=1e-5)
        taken.append(int(np.flatnonzero(gene == GENES)[0]))


def test_expected_error_is_that_of_the_rest(run):
    found, everyone = run(budget=3, measured="G05\nG06\n"), np.arange(len(GENES))
    rows = [int(np.flatnonzero(gene == GENES)[0]) for gene in ["G05", "G06", *found.order["gene"]]]
    for size in (1, 3):
        rest = np.setdiff1d(everyone, rows[: size + 2])
        expected = 100 * left(GENES, rows[: size + 2], rest).mean()
        assert found.order["expected_error"].iloc[size - 1] == pytest.approx(expected)
    low, median, high = found.summary["error_random"]
    assert low <= median <= high
    assert found.summary["error"] <= median


def test_targets_and_their_weights_are_what_the_choice_serves(run):
    found = run(budget=1, targets="G11\nG12\n", gene_weights="gene\tweight\nG11\t5\n")
    worth = np.where(GENES == "G11", 5, np.where(GENES == "G12", 1, 0))
    sums = [worth @ left(GENES, [each], np.arange(len(GENES))) for each in range(len(GENES))]
    own = sums[int(np.flatnonzero(found.order["gene"][0] == GENES)[0])]
    assert own == pytest.approx(min(sums), abs=1e-5)


def test_costs_are_kept_and_the_better_of_two_rules_is_taken(run):
    costs = "gene\tcost\n" + "".join(f"G{number:02d}\t{0.5 if number % 2 else 8}\n" for number in range(30))
    found = run(costs=costs, budget=9)
    assert found.order["total_cost"].iloc[-1] <= 9
    everyone = np.arange(len(GENES))
    start = left(GENES, [], everyone).sum()
    rows = [int(np.flatnonzero(gene == GENES)[0]) for gene in found.order["gene"]]
    best_single = min(left(GENES, [each], everyone).sum() for each in everyone)
    assert start - left(GENES, rows, everyone).sum() >= start - best_single - 1e-5
    assert found.summary["rule"] in ("by gain", "by gain per cost")
    assert found.summary["equivalent_random"] is None


def test_a_blend_is_one_of_its_parents_at_its_ends(run):
    assert run(criterion="blend", blend=1.0).order["gene"].tolist() == run().order["gene"].tolist()
    reach = run(criterion="reach", budget=3).order["gene"].tolist()
    assert run(criterion="blend", blend=0.0, budget=3).order["gene"].tolist() == reach
    between = run(criterion="blend", blend=0.5)
    assert between.summary["error"] <= run(criterion="reach").summary["error"] + 1e-9
    assert between.summary["coverage"] >= run().summary["coverage"] - 1e-9


def test_random_is_a_draw_of_the_seed(run):
    first = run(criterion="random", required="G05\n")
    assert first.order["gene"].tolist() == run(criterion="random", required="G05\n").order["gene"].tolist()
    assert first.order["gene"].iloc[0] == "G05"
    assert first.order["gain"].isna().all()


def test_required_genes_come_first_and_one_outside_all_graphs_is_kept_and_said(run):
    found = run(required="G07\nMYSTERY1\n", budget=4)
    order = found.order.set_index("gene")
    assert order["chosen_as"].to_dict() | {} == {
        gene: "required" if gene in ("G07", "MYSTERY1") else "chosen" for gene in order.index
    }
    assert set(found.order["gene"][:2]) == {"G07", "MYSTERY1"}
    assert "nothing is known" in order.loc["MYSTERY1", "reason"]
    assert found.summary["outside"] == 1
    with pytest.raises(InputError, match="did you mean G07"):
        run(required="G007\n")


def test_names_match_in_any_case_by_several_columns_and_tables(run, tmp_path):
    (tmp_path / "ids.tsv").write_text("symbol\tensembl\tentrez\nG01\tENSG00000000001\t11\nG02\tENSG00000000002\t12\n")
    (tmp_path / "old.tsv").write_text("alias\tsymbol\nformer\tG03\n")
    given = "ensg00000000001.4\n12\nFORMER\ng04\nG05\nG006\n"
    tables = [str(tmp_path / "ids.tsv"), str(tmp_path / "old.tsv")]
    found = run(candidates=given, aliases=tables, alias_column=["alias", "ensembl", "entrez"], budget=5)
    assert sorted(found.order["gene"]) == ["G01", "G02", "G03", "G04", "G05"]
    lost = found.names[found.names["outcome"] == "unknown"]
    assert lost["given"].tolist() == ["G006"]
    assert lost["suggestion"].iloc[0].startswith("G0")
    with pytest.raises(InputError, match="there is no column 'other'"):
        run(aliases=tables, alias_column="other")


def test_a_filter_leaves_candidates_out_but_no_required_gene(run, tmp_path):
    rows = "".join(f"g{number:02d}\t{number}\n" if number else "G00\t0\n" for number in range(2))
    rows += "".join(f"G{number:02d}\t{number}\n" for number in range(2, 25))
    (tmp_path / "tpm.tsv").write_text("gene\ttpm\n" + rows)
    rule = {"path": str(tmp_path / "tpm.tsv"), "column": "tpm", "minimum": 10, "maximum": None, "missing": "keep"}
    found = run(filters={"expression": rule}, required="G02\n", budget=30)
    expected = {f"G{number:02d}" for number in [2, *range(10, 30)]}
    assert set(found.order["gene"]) == expected & set(GENES)
    assert found.order.set_index("gene").loc["G12", "expression"] == 12
    dropped = run(filters={"expression": rule | {"missing": "drop"}}, budget=30)
    assert set(dropped.order["gene"]) == {f"G{number:02d}" for number in range(10, 25)} & set(GENES)
    with pytest.raises(InputError, match=r"design.filters.expression: it leaves no candidate"):
        run(filters={"expression": rule | {"minimum": 99, "missing": "drop"}})


def test_guides_of_the_library_come_with_the_list(run):
    rows = "".join(f"G{number:02d}_{guide}\tG{number:02d}\tACGT{guide}\n" for number in range(29) for guide in range(3))
    found = run(library="id\tgene\tsequence\n" + rows, budget=6)
    expected = [(gene, f"{gene}_{guide}") for gene in found.order["gene"] for guide in range(2) if gene != "G29"]
    assert list(map(tuple, found.guides[["gene", "id"]].to_numpy())) == expected
    assert found.guides["sequence"].str.startswith("ACGT").all()
    assert found.order.set_index("gene")["guides"].to_dict() == {
        gene: 0 if gene == "G29" else 2 for gene in found.order["gene"]
    }


def test_the_equivalent_of_random_genes_is_read_off_their_curve():
    curve = pd.DataFrame({"genes": range(6), "expected_error": [9, 5, 4, 3, 2, 1]})
    curve["expected_error_random_median"] = [9, 8, 7, 6, 5, 4]
    assert equivalent_random(curve, 1) == 4
    assert equivalent_random(curve, 3) is None


def test_an_embedding_is_a_source_like_a_graph(run):
    vectors = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), index=GENES[:20])
    found = run(sources=[SOURCES[0], vectors], budget=3)
    assert len(found.order) == 3
    assert found.order["gene"].tolist() != run(sources=[SOURCES[0]], budget=3).order["gene"].tolist()
