"""The first screen: a card per question that the run can answer, few words, numbers of the tables."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from report_labels import LABELS
from scarceseq import registry
from scarceseq.files import write_table
from scarceseq.report import answers, best_method, evidence
from scarceseq.report.card_picture import HEIGHT, WIDTH, curve_svg, interval_svg, interval_text
from scarceseq.report.glossary import METHODS, meaning, plain_method
from scarceseq.report.inputs import Inputs
from scarceseq.statistics.cards import Card
from scarceseq.statistics.outcomes import Outcome

MOST_WORDS = 250
SETTINGS = {"fewshot": {"scoring": {"smallest_difference": 0.05}}}


def first_screen(text):
    """What a reader sees of the section of answers."""
    part = text[text.index('<section id="answers">') :]
    part = part[: part.index("</section>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part))


@pytest.fixture(scope="module")
def made(whole_run):
    return dict(whole_run[1])


@pytest.fixture(scope="module")
def asked(made):
    return questions_of(made)


def questions_of(named):
    return {each.card.key: each for each in answers.questions(Inputs(named, LABELS), SETTINGS)}


def test_the_first_screen_has_every_question_of_the_run_in_few_words(rendered):
    text = (rendered / "report.html").read_text()
    shown = first_screen(text)
    for question in ("What was collected?", "Does the model know anything?", "Does the guide help?"):
        assert question in shown
    assert "Which method should I use?" in shown
    assert len(shown.split()) <= MOST_WORDS
    ids = set(re.findall(r'id="([\w-]+)"', text))
    part = text[text.index('<section id="answers">') :]
    links = re.findall(r'<a href="#([\w-]+)"', part[: part.index("</section>")])
    assert len(links) >= 4
    assert set(links) <= ids
    assert text.index('id="answers"') < text.index('id="archive"')


def test_no_answer_without_the_tables_that_it_rests_on():
    assert questions_of({}) == {}
    assert evidence.section([]) is None


def test_the_card_of_the_guide_is_about_its_own_controls_only(made, asked, tmp_path):
    assert asked["guide"].card.outcome == Outcome.NOT_TESTED, "the run has no mean rate"
    table = Inputs(made).table("fewshot_contrasts")
    table.loc[table["kind"] == "primary", "against"] = "mean_rate@per_tensor"
    write_table(table, tmp_path / "contrasts.tsv")
    found = questions_of({"fewshot_contrasts": str(tmp_path / "contrasts.tsv")})["guide"]
    assert found.card.outcome == Outcome.BETTER
    assert (found.card.value, found.card.low, found.card.high) == pytest.approx((10, 2, 18))
    assert "raises the share of right answers by 10 percentage points" in found.card.sentences[0]


def test_the_model_is_compared_with_the_best_simple_predictor_on_test_studies(made, asked):
    scores = Inputs(made, LABELS).stacked("pretrain_evaluation")
    wide = scores[scores["metric"] == "masked_mse"].pivot(index="study", columns="predictor", values="value")
    means = wide.mean()
    expected = 100 * (1 - means["model"] / means.drop("model").min())
    assert asked["knows"].card.value == pytest.approx(expected)
    assert asked["knows"].card.mark == "yes"


def test_the_table_behind_the_forest_has_every_pooled_comparison(asked):
    rows = evidence.table(list(asked.values()))
    assert len(rows) == sum(len(question.compared) for question in asked.values()) > 3
    assert set(rows["kind"]) == {"primary", "secondary"}
    assert (rows["low"].isna() | (rows["low"] <= rows["difference"])).all()


def summary_of(means, way="3"):
    """A table of few-shot means: method to one value for each cell."""
    rows = [
        dict(
            base="b", task="t", way=way, shot=shot, method=method, metric="balanced_accuracy", status="run", mean=value
        )
        | dict(low=value - 0.05, high=value + 0.05)
        for method, values in means.items()
        for shot, value in enumerate(values)
        if value is not None
    ]
    return pd.DataFrame(rows)


def ranks_of(means, distance):
    rows = [
        dict(base="b", task="t", way="3", shot=shot, method=method, mean_rank=rank, critical_difference=distance)
        for shot in range(2)
        for rank, method in enumerate(means, 1)
    ]
    return pd.DataFrame(rows)


NONE = pd.DataFrame(columns=["base", "task", "way", "shot", "method", "mean_rank", "critical_difference"])


@pytest.mark.parametrize(
    ("means", "distance", "expected"),
    [
        ({"a": [0.9, 0.8], "b": [0.6, 0.6]}, 0.5, Outcome.BETTER),
        ({"a": [0.9, 0.8], "b": [0.6, 0.6]}, 1.5, Outcome.UNDECIDED),
        ({"a": [0.9, 0.8], "b": [0.6, 0.6]}, None, Outcome.NOT_TESTED),
        ({"a": [0.8, 0.8], "b": [0.8, 0.8]}, 0.5, Outcome.NO_DIFFERENCE),
        ({"a": [0.34, 0.34], "b": [0.3, 0.3]}, 0.5, Outcome.WORSE),
    ],
)
def test_the_best_method_and_whether_others_come_near(means, distance, expected):
    found = best_method.best(summary_of(means), NONE if distance is None else ranks_of(means, distance))
    assert (found.name, found.outcome, found.methods, found.cells) == ("a", expected, 2, 2)
    assert found.mean == pytest.approx(np.mean(means["a"]))
    assert found.second == pytest.approx(np.mean(means["b"]))
    assert found.high - found.low == pytest.approx(0.1)


def test_a_method_that_was_not_run_everywhere_cannot_be_the_best():
    found = best_method.best(summary_of({"a": [0.99, None], "b": [0.7, 0.7], "c": [0.6, 0.6]}), NONE)
    assert (found.name, found.methods) == ("b", 2)


def test_tasks_with_methods_of_their_own_leave_the_best_to_those_that_share_them():
    """Two cells of ridge and centroid, one of ridge and a guide: the guide is compared with one method alone."""
    means = {"ridge": [0.8, 0.7, 0.6], "centroid": [0.9, 0.8, None], "guide": [None, None, 0.99]}
    ranks = ranks_of({"centroid": 0, "ridge": 0}, 0.5)
    other = ranks.iloc[:2].assign(shot=2, method=["guide", "ridge"])
    found = best_method.best(summary_of(means), pd.concat([ranks, other]))
    assert (found.name, found.methods, found.cells, found.outcome) == ("centroid", 2, 2, Outcome.BETTER)
    assert (found.mean, found.second) == (pytest.approx(0.85), pytest.approx(0.75))


def test_a_picture_puts_the_dot_in_its_interval_and_the_line_beside_it():
    made = Card("guide", ("x",), Outcome.BETTER, 5.0, 2.0, 8.0, 0.0)
    root = ElementTree.fromstring(interval_svg(made))
    [circle] = root.iter("circle")
    line, bar = (path.get("d") for path in root.iter("path"))
    low, high = (float(x) for x in re.findall(r"M([\d.]+) .*H([\d.]+)", bar)[0])
    zero = float(re.findall(r"M([\d.]+)", line)[0])
    assert 0 < zero < low < float(circle.get("cx")) < high < WIDTH
    assert float(circle.get("cx")) == pytest.approx((low + high) / 2, abs=0.2)
    assert (low - zero) / (high - low) == pytest.approx(2 / 6, abs=0.01)
    assert root.get("aria-label") == "5.0 percentage points (2.0 to 8.0), against 0.0"
    assert interval_svg(Card("guide", ("x",), Outcome.NOT_TESTED, math.nan)) == ""
    assert (
        interval_text(Card("guide", ("x",), Outcome.UNDECIDED, -0.02, -4.2, 4.1, 0.0))
        == "0.0 percentage points (-4.2 to 4.1)"
    )


def test_a_curve_rises_where_its_values_do():
    text = curve_svg([(np.arange(500), np.arange(500.0) ** 2), (np.arange(500), np.full(500, np.nan))], "a < b")
    [_, line] = list(ElementTree.fromstring(text).iter("polyline"))
    points = np.array([pair.split(",") for pair in line.get("points").split()], float)
    assert len(points) == 60
    assert (np.diff(points[:, 0]) > 0).all()
    assert (np.diff(points[:, 1]) <= 0).all(), "up is less in a picture"
    assert points.min() >= 0
    assert points[:, 1].max() <= HEIGHT


def test_every_method_has_a_plain_name_of_its_own_and_a_meaning():
    names = registry.names("fewshot.fine_tuning") + registry.names("fewshot.classifiers")
    assert set(METHODS) == set(names)
    assert len({plain_method(name) for name in names}) == len(names)
    assert plain_method("logistic@pca") == "logistic regression on principal components"
    for name in [*names, "reach@usage", "graph_ridge"]:
        assert len(meaning(name)) > 15, name
    assert meaning("of_the_user") == ""
