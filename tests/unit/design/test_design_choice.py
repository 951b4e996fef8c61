"""The list for a lab: names resolved, limits kept, coverage as it is defined, and what cannot be used named."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.design.curves import knee
from scarceseq.design.design import design
from scarceseq.design.names import match, outcomes, read_aliases, read_names, read_numbers
from scarceseq.design.plates import PLATES, lay_out
from scarceseq.errors import InputError
from scarceseq.network.graph import Graph, graph_from_edges

DEFAULTS = {
    **dict.fromkeys(["candidates", "measured", "required", "excluded", "targets", "aliases", "costs", "gene_weights"]),
    **{"goal": "knowledge", "responses": None, "response_column": "response", "hits_are": "largest"},
    **{"acquisition": "upper_confidence_bound"},
    **{"graph": "g", "alias_column": "alias", "symbol_column": "symbol", "budget": 4, "hops": 1, "direction": "in"},
    **{"usage": False, "decay": 1, "random_draws": 20, "wells_per_plate": 24, "control_wells": 4},
    **{"replicates": 1, "default_cost": None, "minimum_matched_share": 0.5, "criterion": "reach", "blend": 0.5},
    **{"embeddings": [], "filters": {}, "library": None, "library_gene_column": "gene", "guides_per_gene": 2},
    **{"controls": ["non-targeting", "safe-targeting"]},
}


@pytest.fixture
def graph():
    generator = np.random.default_rng(1)
    pairs = {tuple(pair) for pair in generator.integers(30, size=(80, 2)) if pair[0] != pair[1]}
    rows = [(f"G{a:02d}", f"G{b:02d}", 0.5) for a, b in sorted(pairs)]
    return graph_from_edges(pd.DataFrame(rows, columns=["source", "target", "weight"]))


@pytest.fixture
def run(graph, tmp_path):
    """Function that designs with lists given as text."""

    def function(**changes):
        for key, value in changes.items():
            if DEFAULTS[key] is None and isinstance(value, str):
                (tmp_path / f"{key}.tsv").write_text(value)
                changes[key] = str(tmp_path / f"{key}.tsv")
        return design([graph], DEFAULTS | changes, 3)

    return function


def reached(graph, genes):
    """Oracle: the genes and the sources of their incoming edges."""
    rows = graph.incoming.tolil().rows
    return {graph.nodes[node] for gene in genes for p in graph.positions([gene]) for node in [*rows[p], p]}


def test_coverage_is_the_share_of_what_all_candidates_would_reach(graph, run):
    found = run(budget=5)
    whole = len(reached(graph, graph.nodes))
    chosen = found.order["gene"].tolist()
    expected = [100 * len(reached(graph, chosen[:size])) / whole for size in range(1, 6)]
    np.testing.assert_allclose(found.order["coverage_percent"], expected)
    assert found.order["newly_reached"].cumsum().tolist() == [
        len(reached(graph, chosen[:size])) for size in range(1, 6)
    ]
    assert found.summary["coverage"] == pytest.approx(expected[-1])
    np.testing.assert_allclose(found.coverage["coverage_percent"][1:6], expected)
    assert len(found.coverage) == 11  # from nothing to twice the budget
    for gene, covers in zip(found.order["gene"], found.order["covers"], strict=True):
        assert set(covers.split(", ")) <= reached(graph, [gene]) | {""}


def test_the_band_is_that_of_random_choices(graph, run):
    found = run(budget=5, random_draws=400)
    generator, whole = np.random.default_rng(0), len(reached(graph, graph.nodes))
    drawn = [100 * len(reached(graph, generator.permutation(graph.nodes)[:5])) / whole for _ in range(2000)]
    at = found.coverage[found.coverage["genes"] == 5].iloc[0]
    low, median, high = np.percentile(drawn, [2.5, 50, 97.5])
    assert at["coverage_percent_random_low"] == pytest.approx(low, abs=4)
    assert at["coverage_percent_random_median"] == pytest.approx(median, abs=2)
    assert at["coverage_percent_random_high"] == pytest.approx(high, abs=4)
    assert found.order["coverage_percent"].iloc[-1] > high


def test_only_candidates_are_chosen_and_lists_are_respected(run):
    found = run(candidates="gene\nG01\nG02\nG03\nG04\nG05\nG06\n", required="G06\nG20\n", excluded="G01\n", budget=10)
    chosen = found.order["gene"].tolist()
    assert set(chosen[:2]) == {"G06", "G20"}
    assert set(chosen) == {"G02", "G03", "G04", "G05", "G06", "G20"}
    assert found.summary["chosen"] == 6
    assert "G01" not in chosen


def test_what_was_measured_is_reached_already_and_not_chosen_again(graph, run):
    found = run(measured="G00\nG01\nG02\n", budget=3)
    assert not {"G00", "G01", "G02"} & set(found.order["gene"])
    before = 100 * len(reached(graph, ["G00", "G01", "G02"])) / len(reached(graph, graph.nodes))
    assert found.summary["coverage_before"] == pytest.approx(before)
    first = found.order["gene"].iloc[0]
    new = reached(graph, [first]) - reached(graph, ["G00", "G01", "G02"])
    assert found.order["newly_reached"].iloc[0] == len(new)
    assert found.order["gain"].iloc[0] == len(new)


def test_names_are_resolved_and_those_that_cannot_be_used_are_listed(run, caplog):
    aliases = "alias\tsymbol\nOLD1\tG01\nENSG00000000002\tG02\nTWO\tG03\nTWO\tG04\nGONE\tnowhere\n"
    given = "OLD1\nENSG00000000002.7\nG02\nTWO\nGONE\nmissing\nG05\n"
    found = run(candidates=given, aliases=aliases, budget=3)
    outcomes = found.names.set_index("given")["outcome"].to_dict()
    assert outcomes == {
        **{"OLD1": "used", "ENSG00000000002.7": "used", "G02": "duplicate", "G05": "used"},
        **{"TWO": "ambiguous", "GONE": "unknown", "missing": "unknown"},
    }
    assert found.order.set_index("gene")["given_as"].to_dict() == {
        "G01": "OLD1",
        "G02": "ENSG00000000002.7",
        "G05": "G05",
    }
    assert (found.summary["unknown"], found.summary["duplicates"]) == (3, 1)
    assert "design.candidates: 3 names cannot be used, such as TWO, GONE, missing" in caplog.text


def test_the_table_of_other_names_is_joined_with_the_graph_too(run):
    found = run(aliases="alias\tsymbol\nOLD1\tG01\nTWO\tG03\nGONE\tnowhere\n", budget=3)
    row = found.joins.set_index("join").loc["symbols that the other names stand for to genes of the graph"]
    assert row[["given", "matched", "not_matched", "examples"]].tolist() == [3, 2, 1, "nowhere"]
    with pytest.raises(InputError, match="match only when case is ignored"):
        run(aliases="alias\tsymbol\nOld1\tg01\nTwo\tg03\n", budget=3)


def test_a_symbol_of_the_graph_is_not_taken_for_an_alias():
    aliases, graph = {"A": {"B"}}, Graph(np.array(["A", "B"]), None)
    table = outcomes(["A"], match(["A"], graph.nodes, aliases, "candidates", "x"), aliases, "candidates")
    assert table["gene"].tolist() == ["A"]


def test_costs_are_kept_within_the_budget_and_cheap_genes_are_preferred(run):
    costs = "gene\tcost\n" + "".join(f"G{number:02d}\t{0.5 if number % 2 else 8}\n" for number in range(30))
    found = run(costs=costs, budget=3)
    assert found.order["total_cost"].iloc[-1] <= 3
    assert (found.order["cost"] == 0.5).all()
    assert len(found.order) == 6
    assert found.summary["spent"] == 3
    # tenths are kept exactly
    tenths = run(costs="gene\tcost\n" + "".join(f"G{number:02d}\t0.1\n" for number in range(30)), budget=0.3)
    assert len(tenths.order) == 3


def test_costs_match_in_any_case_and_a_default_serves_the_others(run):
    costs = "gene\tcost\n" + "".join(f"{'g' if number % 3 else 'G'}{number:02d}\t2\n" for number in range(20))
    with pytest.raises(InputError, match="no cost for 10 of the genes that may be chosen, such as G20"):
        run(costs=costs, budget=6)
    made = run(costs=costs, budget=1e6, default_cost=7)
    assert made.order.set_index("gene")["cost"].to_dict() == {
        f"G{number:02d}": 2 if number < 20 else 7 for number in range(30)
    }
    join = made.joins.set_index("join").loc["costs to genes of the graph"]
    assert join[["given", "matched", "in_another_case", "not_matched", "there_only"]].tolist() == [20, 20, 13, 0, 10]
    assert join["there_examples"].startswith("G20, G21")


def test_weights_of_genes_change_what_is_worth_reaching(graph, run):
    heavy = graph.nodes[7]
    found = run(gene_weights=f"gene\tweight\n{heavy}\t100\n", budget=1)
    assert heavy in reached(graph, found.order["gene"])
    targets = run(targets=f"{heavy}\n", budget=1)
    assert targets.order["coverage_percent"].tolist() == [100]


def test_a_design_is_the_same_every_time_and_beginnings_agree(run):
    first, again, more = run(budget=4), run(budget=4), run(budget=8)
    pd.testing.assert_frame_equal(first.order, again.order)
    pd.testing.assert_frame_equal(first.coverage, again.coverage)
    assert more.order["gene"].tolist()[:4] == first.order["gene"].tolist()


def test_a_budget_above_the_candidates_takes_them_all(run):
    found = run(candidates="G01\nG02\nG03\n", budget=50)
    assert (len(found.order), found.summary["chosen"]) == (3, 3)
    assert found.order["coverage_percent"].iloc[-1] == pytest.approx(100)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidates": "\n\n"}, "the list of genes is empty"),
        (
            {"candidates": "X1\nX2\n"},
            "candidates to genes of the graph: none of 2 names matches, such as X1, X2; wanted are such as G00",
        ),
        ({"candidates": "G01\n", "excluded": "G01\n"}, "free to be chosen"),
        ({"required": "G001\n"}, r"gene G001 is unknown \(did you mean G01\?\)"),
        ({"excluded": "X1\n"}, "gene X1 is unknown"),
        ({"required": "G01\n", "excluded": "G01\n"}, "gene G01 must be in, but is also excluded"),
        ({"required": "G01\nG02\nG03\n", "budget": 2}, "the budget is 2, but 3 genes must be in"),
        ({"budget": 2.5}, "design.budget: 2.5 genes"),
        ({"costs": "gene\tcost\nG01\t-1\n"}, r"cost '-1' of gene G01 \(row 1\) is no number above 0"),
        ({"costs": "gene\tcost\nG01\tmuch\n"}, "cost 'much' of gene G01"),
        ({"costs": "gene\tcost\nG01\t1\nG01\t2\n"}, "gene G01 has two rows"),
        ({"costs": "gene\tcost\nG01\t1\n"}, "of the genes that may be chosen, such as G00, G02"),
        ({"costs": "gene\tcost\ng01\t1\ng02\t2\n"}, "match only when case is ignored, such as g01 .G01."),
        ({"costs": "gene\tcost\nX1\t1\nG-01\t2\n"}, "none of 2 names matches.*nearly the same: G-01 .G01."),
        ({"costs": "gene\tcost\nX1\t1\nX2\t1\nG01\t2\n"}, "under minimum_matched_share"),
        ({"costs": "gene\tprice\nG01\t1\n"}, "there is no column 'cost'"),
        ({"gene_weights": "gene\tweight\nG01\t-0.5\n"}, "of 0 or more"),
        ({"control_wells": 24}, "24 of 24 wells leaves none"),
    ],
)
def test_input_that_cannot_be_used_is_refused(run, changes, message):
    with pytest.raises(InputError, match=message):
        run(**changes)


def genes_in_order(count):
    return pd.DataFrame({"rank": range(1, count + 1), "gene": [f"G{number}" for number in range(count)]})


KINDS = ["non-targeting", "safe-targeting", "positive"]


@pytest.mark.parametrize(
    ("count", "replicates"), [(20, 3), (40, 2), (7, 4), (1, 2), (50, 1), (19, 2), (21, 2), (112, 2)]
)
def test_every_gene_has_its_replicates_on_plates_of_their_own(count, replicates):
    plates = lay_out(genes_in_order(count), 24, 4, KINDS, replicates, seed=2)
    assert not plates.duplicated(["plate", "well"]).any()
    assert (plates.groupby("plate").size() == 24).all()
    genes = plates[plates["content"] == "gene"]
    assert sorted(map(tuple, genes[["gene", "replicate"]].to_numpy())) == sorted(
        (f"G{number}", replicate) for number in range(count) for replicate in range(1, replicates + 1)
    )
    assert not genes.duplicated(["plate", "gene"]).any()
    assert plates["plate"].max() == max(replicates, -(-count * replicates // 20))


def test_controls_of_each_kind_are_spread_over_every_plate():
    plates = lay_out(genes_in_order(300), 96, 12, KINDS, 1, seed=5)
    for _, plate in plates.groupby("plate"):
        controls = plate[plate["content"] == "control"]
        assert controls["control"].value_counts().to_dict() == dict.fromkeys(KINDS, 4)
        assert sorted(controls["column"]) == list(range(1, 13))  # one in each column
        for _, kind in controls.groupby("control"):
            assert np.diff(sorted(kind["column"])).tolist() == [3, 3, 3]
    assert set(plates.loc[plates["content"] != "control", "control"]) == {""}


def test_places_are_drawn_from_the_seed_and_do_not_follow_the_ranks():
    first, again, other = (lay_out(genes_in_order(88), 96, 8, KINDS, 2, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["gene"].equals(other["gene"])
    genes = first[first["content"] == "gene"].reset_index()
    for _, plate in genes.groupby("plate"):
        assert abs(np.corrcoef(plate["index"], plate["rank"])[0, 1]) < 0.35
    wells = genes.groupby("gene")["well"].nunique()
    assert (wells == 2).mean() > 0.9
    assert {wells: rows * columns for wells, (rows, columns) in PLATES.items()} == {wells: wells for wells in PLATES}


def test_more_kinds_of_controls_than_wells_are_refused():
    with pytest.raises(InputError, match="3 kinds do not fit 2 control wells"):
        lay_out(genes_in_order(5), 24, 2, KINDS)


def test_replicates_cost_their_number_and_stand_on_the_plates(run):
    costs = "gene\tcost\n" + "".join(f"G{number:02d}\t1\n" for number in range(30))
    found = run(costs=costs, budget=12, replicates=3)
    assert len(found.order) == 4
    assert found.order["cost"].tolist() == [3.0] * 4
    assert found.summary["replicates"] == 3
    genes = found.plates[found.plates["content"] == "gene"]
    assert genes["gene"].value_counts().to_dict() == dict.fromkeys(found.order["gene"], 3)
    first = genes[genes["replicate"] == 1]
    places = first.sort_values("rank")[["gene", "plate", "well"]].values.tolist()
    assert places == found.order[["gene", "plate", "well"]].values.tolist()
    assert len(run(budget=4, replicates=3).order) == 4  # without costs the budget counts genes


def test_the_knee_is_where_a_bent_line_bends():
    heights = [0, 20, 40, 60, 62, 64, 66, 68]
    assert knee(pd.DataFrame({"cost": range(8), "coverage_percent": heights})) == 3
    assert knee(pd.DataFrame({"cost": [0, 1, 2], "coverage_percent": [5, 5, 5]})) == 2


def test_lists_are_read_as_text_or_tables_packed_or_not(tmp_path):
    import gzip

    (tmp_path / "a.txt").write_text("Gene\nA\n\n B \n")
    (tmp_path / "b.csv").write_text('"A",1\n"B",2\n')
    (tmp_path / "c.tsv.gz").write_bytes(gzip.compress(b"gene\tx\nA\t1\nB\t2\n"))
    for name in ("a.txt", "b.csv", "c.tsv.gz"):
        assert read_names(tmp_path / name) == ["A", "B"]
    assert (read_names(None), read_numbers(None, "cost", "positive"), read_aliases(None, "a", "b")) == ([], {}, {})


def test_a_first_rounds_screen_is_as_good_as_the_list_of_its_perturbations(graph, run, tmp_path):
    genes, path = ["G03", "G11", "G12", "LOST"], tmp_path / "pseudobulk.h5ad"
    profiles = anndata.AnnData(np.zeros((4, 2), np.float32), obs=pd.DataFrame(index=genes))
    profiles.write_h5ad(path)
    by_list = run(measured="\n".join(genes) + "\n", criterion="v_optimal")
    by_screen = design([graph], DEFAULTS | {"measured": str(path), "criterion": "v_optimal"}, 3)
    pd.testing.assert_frame_equal(by_screen.order, by_list.order)
    assert by_screen.summary["measured"] == 3
    assert not set(genes) & set(by_screen.order["gene"])
    assert by_screen.names.set_index("given").loc["LOST", "outcome"] == "unknown"
    cells = anndata.AnnData(np.zeros((3, 2), np.float32), obs=pd.DataFrame(index=["G03", "G03", "G11"]))
    cells.write_h5ad(path)
    with pytest.raises(InputError, match="has several rows of G03; a row for each perturbation is wanted"):
        read_names(path)
    path.write_bytes(b"no")
    with pytest.raises(InputError, match="cannot be read as a screen's profiles"):
        read_names(path)


def test_a_misspelt_row_of_the_costs_is_pointed_at(run, graph):
    rows = [f"{gene}\t1\n" for gene in graph.nodes if gene != "G07"] + ["G007\t1\n"]
    with pytest.raises(InputError, match=r"no cost for 1 of .* such as G07 \(its row G007 may be G07\); add them"):
        run(costs="gene\tcost\n" + "".join(rows))
