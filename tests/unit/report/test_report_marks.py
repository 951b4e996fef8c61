"""What marks of figures tell: each text is at the mark whose place its values say, in every figure of the page."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scarceseq.files import read_table
from scarceseq.report import design, forest, own_study_figures, screen, style
from scarceseq.report.wording import estimate
from sklearn.decomposition import PCA

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = r"(−?[\d,.]+(?:e-\d+)?)"


def told(text):
    """Points and paths of a figure that tell something: their title, panel and place, y upwards."""
    rows = []

    def visit(element, title, panel):
        own = element.find(f"{SVG}title")
        title = title if own is None else own.text
        panel = element.get("id") if element.get("id", "").startswith("axes_") else panel
        if title and element.tag in (f"{SVG}use", f"{SVG}path"):
            point = element.tag == f"{SVG}use"
            places = [element.get("x"), element.get("y")] if point else re.findall(r"-?[\d.]+", element.get("d"))
            x, y = (np.array(places[axis::2], float) for axis in (0, 1))
            rows.append((title, panel, point, x.min(), x.max(), y.min(), y.max()))
        for child in element:
            if child.tag != f"{SVG}defs":
                visit(child, title, panel)

    visit(ElementTree.fromstring(text), None, None)
    table = pd.DataFrame(rows, columns=["title", "panel", "point", "left", "right", "top", "bottom"])
    return table.assign(x=(table["left"] + table["right"]) / 2, y=-(table["top"] + table["bottom"]) / 2)


def numbers(titles, pattern):
    """What a pattern with one group finds in each title, as numbers."""
    found = [re.search(pattern, title) for title in titles]
    assert None not in found, (pattern, list(titles))
    return np.array([float(match[1].replace("−", "-").replace(",", "")) for match in found])


def assert_proportional(places, values, tolerance=0.01):
    """Places in a figure are a rising linear function of values, up to the rounding of what is told."""
    places, values = np.asarray(places, float), np.asarray(values, float)
    assert np.ptp(values) > 0
    line = np.polyfit(values, places, 1)
    assert line[0] > 0
    assert np.abs(places - np.polyval(line, values)).max() < tolerance * np.ptp(places)


def of(rendered, name):
    return told((rendered / "figures" / f"{name}.svg").read_text())


def test_every_figure_has_marks_that_tell_something(rendered):
    figures = {path.stem: told(path.read_text()) for path in (rendered / "figures").iterdir()}
    assert len(figures) > 15
    assert [name for name, marks in figures.items() if marks.empty] == []
    titles = pd.concat(figures)["title"]
    assert titles[titles.str.contains("nan|None|n/a, ", regex=True) | (titles.str.strip() == "")].tolist() == []


def test_points_without_a_place_leave_the_texts_of_the_others_where_they_belong():
    x, y = np.array([5, np.nan, 1, 4, 2, np.nan]), np.array([np.nan, 1, 7, 3, 5, 2])
    drawn, axes = style.figure(columns=2)
    style.tell(axes[0, 0].scatter(x, y), "all", list("abcdef"))
    style.tell(axes[0, 1].plot(x, y, marker="o"), "line", list("abcdef"))
    marks = told(style.svg(drawn, "x"))
    for _, part in marks[marks["point"]].groupby("panel"):
        assert part["title"].tolist() == ["c", "d", "e"]
        assert_proportional(part["x"], [1, 4, 2], 1e-6)
        assert_proportional(part["y"], [7, 3, 5], 1e-6)
    assert marks.loc[~marks["point"], "title"].tolist() == ["line"]


def test_too_many_points_tell_what_they_are_together():
    for count, titles in ((style.POINTS_TOLD, style.POINTS_TOLD), (style.POINTS_TOLD + 1, 1)):
        drawn, axes = style.figure()
        style.tell(axes[0, 0].scatter(np.arange(count), np.arange(count)), "all", map(str, range(count)))
        marks = told(style.svg(drawn, "x"))
        assert len(marks) == count
        assert marks["title"].nunique() == titles


def test_points_outside_the_figure_leave_none_with_the_text_of_another():
    drawn, axes = style.figure()
    axes[0, 0].set_xlim(2, 3)  # of these points, matplotlib draws five too, though not in their order
    style.tell(axes[0, 0].scatter([-50, -60, 2.2, -70, 2.3], range(5)), "all", list("abcde"))
    marks = told(style.svg(drawn, "x"))
    assert len(marks) == 5
    assert set(marks["title"]) == {"all"}


def test_one_text_too_few_is_an_error():
    drawn, axes = style.figure()
    style.tell(axes[0, 0].scatter([1, 2], [1, 2]), "all", ["a"])
    with pytest.raises(ValueError, match="zip"):
        style.svg(drawn, "x")


def test_texts_with_markup_stay_text_in_the_file_and_on_the_page():
    name = """<g id="x"> & 'köln' url(#) href="#" """.strip()
    drawn, axes = style.figure()
    style.tell(axes[0, 0].scatter([1, 2], [1, 2]), name, [name, "b"])
    text = style.svg(drawn, "x")
    assert told(text)["title"].tolist() == [name, "b"]
    assert "<title>&lt;g id=&quot;x&quot;&gt; &amp;" in style.inline(text, "one", "label")


def test_bars_of_a_histogram_tell_its_counts_and_edges():
    values = np.random.default_rng(1).integers(1, 30, 200)
    drawn, axes = style.figure(columns=2)
    for ax, whole in zip(axes[0], (False, True), strict=True):
        bars = ax.hist(values, bins=[0.5, 2.5, 10.5, 11.5, 40, 50])[-1]
        style.tell_bins(bars, ("study", "studies"), "{} runs", whole)
    counts = [((values > low) & (values <= high)).sum() for low, high in ((0, 2), (2, 10), (10, 11), (11, 40))]
    marks = told(style.svg(drawn, "x"))
    titles = [part["title"].tolist() for _, part in marks.groupby("panel")]
    places = ["0.500 to 2.50", "2.50 to 10.5", "10.5 to 11.5", "11.5 to 40.0"], ["1 to 2", "3 to 10", "11", "12 to 39"]
    for own, where in zip(titles, places, strict=True):
        assert own == [f"{n} studies: {place} runs" for n, place in zip(counts, where, strict=True)]
    assert_proportional((marks["bottom"] - marks["top"])[:4], counts, 1e-6)


@pytest.mark.parametrize(
    ("name", "axis", "pattern", "panels"),
    [
        ("corpus_dropped", "right", rf": {NUMBER} runs? of", 1),
        ("pretrain_methods", "x", rf": {NUMBER}$", 1),
        ("pretrain_loss", "y", rf", step \d+: {NUMBER}$", 2),
        ("pretrain_loss", "x", rf", step {NUMBER}: ", 2),
        ("fewshot_balanced_accuracy_mlp", "x", rf"y: {NUMBER} \(", 3),
        ("fewshot_ranks", "right", rf"mean rank {NUMBER}$", 1),
        ("fewshot_learning_mlp", "x", rf", {NUMBER} per class: ", 1),
        ("fewshot_learning_mlp", "y", rf" per class: {NUMBER}$", 1),
        ("fewshot_curves_mlp", "log x", rf", step {NUMBER}: ", 3),
        ("fewshot_curves_mlp", "log y", rf", step \d+: {NUMBER}$", 3),
        ("perturbation_demo", "x", rf": {NUMBER} \(", 2),
        ("perturbation_transfer", "x", rf": {NUMBER} \(", 1),
        ("selection_curves_demo", "x", rf"perturbations \({NUMBER}%\)", 4),
        ("selection_curves_demo", "y", rf"%\): {NUMBER} \(", 4),
        ("selection_stability_demo", "y", rf", [\w %]+: {NUMBER}$", 1),
        ("screen_strength", "x", rf"strength {NUMBER}", 1),
        ("screen_strength", "y", rf"reliability {NUMBER}$", 1),
        ("run_times", "right", rf": {NUMBER} s, ", 1),
    ],
)
def test_marks_are_where_the_numbers_that_they_tell_say(name, axis, pattern, panels, rendered):
    marks = of(rendered, name)
    named = [re.search(pattern, title) is not None and not title.startswith("chance") for title in marks["title"]]
    marks = marks[named & (marks["point"] | (axis == "right"))]
    assert marks["panel"].nunique() >= panels
    for _, part in list(marks.groupby("panel"))[:panels]:
        values = numbers(part["title"], pattern)
        values = np.log(values) if "log" in axis else values
        assert_proportional(part[axis.split()[-1]], values)


@pytest.mark.parametrize(
    "name",
    [
        *["corpus_dropped", "fewshot_balanced_accuracy_mlp", "fewshot_ranks", "guide_distributions"],
        *["perturbation_demo", "perturbation_transfer", "pretrain_methods", "run_times"],
    ],
)
def test_marks_tell_the_name_of_the_row_that_they_are_in(name, rendered):
    root = ElementTree.fromstring((rendered / "figures" / f"{name}.svg").read_text())
    groups = root.find(f".//{SVG}g[@id='axes_1']").iter(f"{SVG}g")
    ticks, rows = [group for group in groups if group.get("id", "").startswith("ytick_")], {}
    for tick in ticks:
        if (text := tick.find(f".//{SVG}text")) is not None:
            rows[float(tick.find(f".//{SVG}use").get("y"))] = text.text.split(": ")[-1]
    marks = of(rendered, name)
    marks = marks[~marks["title"].str.match("chance|floor|ceiling|critical difference")]
    nearest = [min(rows, key=lambda y: abs(y + mark)) for mark in marks["y"]]
    assert len(rows) > 1
    assert set(nearest) == set(rows)
    wrong = [(title, rows[y]) for title, y in zip(marks["title"], nearest, strict=True) if rows[y] not in title]
    assert wrong == []


def test_samples_on_the_map_tell_their_name_role_study_and_label_in_every_panel(rendered):
    samples = read_table(rendered / "run" / "samples.parquet")
    oracle = PCA(2).fit_transform(np.load(rendered / "run" / "training.npy").astype(float))
    rows = {name: place for place, name in enumerate(samples["sample"])}
    marks = of(rendered, "corpus_projection")
    assert marks["panel"].nunique() == 3
    roles = read_table(rendered / "run" / "splits.parquet").set_index("study")["role"]
    known = zip(samples["sample"], samples["study"], ["liver <b>&", "köln"] * 10, strict=True)
    assert set(marks["title"]) == {f"{name}: {roles[study]}, {study}, {label}" for name, study, label in known}
    for _, part in marks.groupby("panel"):
        names = part["title"].str.split(": ").str[0]
        assert sorted(names) == sorted(samples["sample"])
        for axis, column in zip("xy", oracle.T, strict=True):
            column = column * np.sign(column[np.abs(column).argmax()])  # as the report fixes the sign
            assert_proportional(part[axis], column[[rows[name] for name in names]], 1e-3)


def test_studies_tell_the_errors_of_the_model_and_of_its_rival(rendered):
    scores = read_table(rendered / "tables" / "pretrain_evaluation.tsv")
    wide = scores[scores["metric"] == "masked_mse"].pivot(index="study", columns="predictor", values="value")
    marks = of(rendered, "pretrain_against_simple")
    panels = dict(list(marks[marks["point"]].groupby("panel")))
    for rival, part in zip(["gene_mean", "pca"], panels.values(), strict=True):
        names = part["title"].str.split(",").str[0]
        assert sorted(names) == sorted(wide.index)
        assert_proportional(part["x"], wide.loc[names, rival], 1e-3)
        assert_proportional(part["y"], wide.loc[names, "model"], 1e-3)
        np.testing.assert_allclose(numbers(part["title"], f"model {NUMBER}, "), wide.loc[names, "model"], rtol=5e-3)
        np.testing.assert_allclose(numbers(part["title"], f" {NUMBER}$"), wide.loc[names, rival], rtol=5e-3)


def test_perturbations_without_reliability_are_in_the_order_of_their_strength():
    effects = pd.DataFrame({"screen": "s", "perturbation": list("abcd"), "strength": [0.3, 0.1, 0.45, 0.2]})
    marks = told(style.svg(screen.strength_figure(effects), "x")).sort_values("x")
    assert [title[0] for title in marks["title"]] == list("bdac")
    assert_proportional(marks["x"], sorted(effects["strength"]), 1e-6)


def test_each_row_of_a_forest_tells_its_name_estimate_and_interval_on_its_dot_and_its_bar():
    table = pd.DataFrame({"difference": [0.1, -0.25, 0.02], "low": [0.05, -0.3, np.nan], "high": [0.2, -0.2, np.nan]})
    marks = told(style.svg(forest.forest_figure(table, ["one", "two", "three"], "d"), "x"))
    dots, bars = marks[marks["point"]], marks[~marks["point"] & (marks["left"] < marks["right"])]
    assert dots["title"].tolist() == ["one: 0.100 (0.0500 to 0.200)", "two: −0.250 (−0.300 to −0.200)", "three: 0.0200"]
    assert bars["title"].tolist() == dots["title"].tolist()[:2]
    assert_proportional(dots["y"], [2, 1, 0], 1e-6)
    ends = [*dots["x"], *bars["left"], *bars["right"]]
    assert_proportional(ends, [0.1, -0.25, 0.02, 0.05, -0.3, 0.2, -0.2], 1e-6)


def test_an_estimate_has_an_interval_if_both_ends_are_known():
    assert estimate(0.8123, 0.75, 0.86) == "0.812 (0.750 to 0.860)"
    assert estimate(-1234.5, np.nan, 3) == estimate(-1234.5) == "−1,234"


def test_genes_of_a_study_tell_what_they_add_and_how_they_differ():
    generator = np.random.default_rng(3)
    genes = pd.DataFrame({"gene_id": [f"G{k}" for k in range(30)], "rank": range(1, 31)})
    genes["gene_name"] = [None, *(f"Gene{k}" for k in range(1, 30))]
    genes["floored_attribution"], genes["differential_p_value"] = generator.random((2, 30))
    genes["highest_in"], genes["differential_rank"] = ["a", "b", "a"] * 10, generator.permutation(30) + 1.0
    genes.loc[5, ["differential_rank", "differential_p_value"]] = np.nan
    summary = {"rank_correlation": 0.5, "compared_first": 10}
    marks = told(style.svg(own_study_figures.gene_figure(genes, summary), "x"))
    left, right = (part for _, part in marks.groupby("panel"))
    right, values = right[right["point"]], genes.set_index(genes["gene_name"].fillna("G0"))
    assert "Gene5: " in " ".join(left["title"])
    for part, axis, column in [(left, "right", 0), (right, "x", 0), (right, "y", 1)]:
        names = part["title"].str.split(":").str[0]
        measure = values.loc[names, ["floored_attribution", "differential_p_value"][column]]
        assert_proportional(part[axis], -np.log10(measure) if column else measure, 1e-6)
        if part is right:
            told_values = numbers(part["title"], ["gradients " + NUMBER, "p " + NUMBER][column])
            np.testing.assert_allclose(told_values, measure, rtol=5e-2)
    assert sorted(left["title"].str.split(":").str[0]) == sorted(values.index[: own_study_figures.GENES_DRAWN])
    assert sorted(right["title"].str.split(":").str[0]) == sorted(values.index.drop("Gene5"))


def test_methods_and_probabilities_of_a_study_tell_what_is_drawn():
    scores = pd.DataFrame({"method": ["best", "logistic@pca"], "balanced_accuracy": [0.9, 0.6]})
    scores["low"], scores["high"] = [0.8, 0.4], [1.0, 0.8]
    marks = told(style.svg(own_study_figures.accuracy_figure(scores, 0.7, 0.5), "x"))
    points = marks[marks["point"]]
    assert points["title"].tolist() == [
        "best classifier, chosen in each fold: 0.900 (0.800 to 1.00)",
        "best classifier, chosen in each fold, permuted labels: 0.700",
        "logistic regression on principal components: 0.600 (0.400 to 0.800)",
    ]
    assert_proportional(points["x"], [0.9, 0.7, 0.6], 1e-6)
    predictions = pd.DataFrame({"label": [0, 0, 1, 1, 1], "predicted": [0, 1, 1, 1, 0]})
    predictions["p_0"] = [0.95, 0.45, 0.01, 0.02, 0.6]
    predictions["p_1"] = 1 - predictions["p_0"]
    marks = told(style.svg(own_study_figures.reliability_figure(predictions, 2), "x"))
    expected = ["1 prediction: told 0.550, right 0", "1 prediction: told 0.600, right 0"]
    assert marks[marks["point"]]["title"].tolist() == [*expected, "3 predictions: told 0.973, right 1.00"]


def test_the_curve_of_a_design_tells_its_lines_its_knee_and_its_budget():
    covered = 100 * (1 - np.exp(-np.arange(1, 21) / 4))
    curve = pd.DataFrame({"genes": range(1, 21), "cost": range(1, 21), "coverage_percent": covered})
    shares = {"random_low": covered / 3, "random_median": covered / 2, "random_high": covered / 1.5}
    for name in ("coverage_percent", "expected_error"):
        curve = curve.assign(**{name: covered}, **{f"{name}_{key}": values for key, values in shares.items()})
    drawn = design.curve_figure(curve, {"budget": 12, "costs": None})
    marks = told(style.svg(drawn, "x"))
    lines = ["random choice, 95% of its draws", "random choice, median of its draws", "this list"]
    assert marks["title"].tolist()[:4] == [*lines, "budget: 12"]  # of the expected error
    assert marks["title"].tolist()[4:7] == lines
    above = (covered - covered[0]) / (covered[-1] - covered[0]) - np.linspace(0, 1, 20)
    best = above.argmax()
    knee = f"knee: {best + 1} genes reach {covered[best]:.1f}%"
    assert sorted(marks["title"].tolist()[7:]) == ["budget: 12", knee]


@pytest.mark.parametrize(
    ("name", "entry", "start"),
    [
        ("selection_curves_demo", "reach on usage, annotation graph", "GraphReach: the greedy choice"),
        ("fewshot_learning_mlp", "linear head on the frozen network", "Pre-trained encoder"),
    ],
)
def test_entries_of_a_legend_tell_what_they_are(rendered, name, entry, start):
    tree = ElementTree.parse(rendered / "figures" / f"{name}.svg")
    groups = [group for group in tree.iter(f"{SVG}g") if group.find(f"{SVG}title") is not None]
    titles = {
        "".join(text.itertext()).strip(): group.find(f"{SVG}title").text
        for group in groups
        for text in group.iter(f"{SVG}text")
    }
    assert titles[entry].startswith(start)
