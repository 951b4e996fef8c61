"""What the sections say and count, on tables made by hand."""

import itertools
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from report_labels import LABELS
from scarceseq import runtime
from scarceseq.archive.manifest import read_manifest
from scarceseq.files import read_table, write_table
from scarceseq.joins import joins_table, match_names
from scarceseq.report import (
    archive,
    choices,
    corpus,
    design,
    fewshot,
    guide,
    network,
    overview,
    own_study,
    perturbation,
    pretrain,
    projection,
    resources,
    screen,
    selection,
    style,
    value_text,
    wording,
)
from scarceseq.report.inputs import Inputs
from scarceseq.report.joins import joins_blocks, user_blocks
from scipy import stats
from sklearn.decomposition import PCA


def ledger_of(run):
    inputs = Inputs(run)
    entries = [entry for path in inputs.paths("manifests") for entry in read_manifest(path)]
    states = archive.study_states(inputs.table("studies"), entries)
    return archive.run_ledger(states, inputs.table("dropped_runs"), inputs.table("samples")).set_index("entry")["runs"]


def test_every_listed_run_is_accounted_for_once(run):
    ledger = ledger_of(run)
    assert ledger.iloc[0] == 36
    assert ledger.iloc[1:-1].sum() == 36
    assert ledger["unexplained"] == 0
    assert ledger["kept: added to a sample's first run"] == 2
    assert ledger["left out: too few mapped reads"] == 2


def test_a_run_that_vanished_is_called_unexplained_and_warned_of(run):
    samples = read_table(run["samples"])
    write_table(samples.drop(index=1), run["samples"])
    assert ledger_of(run)["unexplained"] == 1
    blocks = archive.section(Inputs(run)).blocks
    assert any(block.kind == "paragraph" and "do not add up: 1 run" in block.text for block in blocks)


def test_a_study_without_optional_tables_counts_as_fetched(run):
    path = run["manifests"][0]
    with open(path) as handle:
        line = json.loads(handle.readline())
    with open(path, "a") as handle:
        handle.write(json.dumps(line | {"kind": "recount_pred", "status": "absent", "detail": "404"}) + "\n")
    states = archive.study_states(read_table(run["studies"]), read_manifest(path))
    assert states.set_index("project").loc[line["project"], "state"] == "fetched"


def test_a_study_that_its_metadata_rule_out_is_neither_fetched_nor_unusable(run):
    path = run["manifests"][0]
    with open(path) as handle:
        lines = [json.loads(line) for line in handle]
    line = next(line for line in lines if line["kind"] == "gene_sums")
    line |= {"status": "skipped", "detail": "metadata rule out all 6 runs"}
    with open(path, "w") as handle:
        handle.writelines(json.dumps(line) + "\n" for line in lines)
    state = archive.study_states(read_table(run["studies"]), read_manifest(path)).set_index("project")
    assert state.loc[line["project"], ["state", "detail"]].tolist() == ["ruled out", "metadata rule out all 6 runs"]


def test_principal_components_are_those_of_scikit_learn_up_to_sign():
    expression = np.random.default_rng(0).normal(size=(30, 8)) * np.arange(1, 9)
    scores, share = projection.principal_components(expression)
    oracle = PCA(2).fit(expression)
    np.testing.assert_allclose(share, oracle.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(np.abs(scores), np.abs(oracle.transform(expression)), atol=1e-9)
    assert (scores[np.abs(scores).argmax(axis=0), [0, 1]] > 0).all()


def test_principal_components_of_rows_in_half_precision_are_those_of_the_same_numbers_in_double():
    stored = (5 + np.random.default_rng(3).normal(size=(30, 8))).astype(np.float16)
    for ours, double in zip(*(projection.principal_components(x) for x in (stored, stored.astype(float))), strict=True):
        np.testing.assert_array_equal(ours, double)


def test_umap_is_the_same_each_time_and_keeps_groups_that_lie_apart_apart():
    generator = np.random.default_rng(4)
    group = np.repeat([0, 1, 2], 40)
    scores = generator.normal(size=(120, 6)) + 30 * np.eye(6)[group]
    places, again, other = (projection.umap(scores, seed) for seed in (1, 1, 2))
    assert np.array_equal(places, again)
    assert not np.array_equal(places, other)
    distance = np.linalg.norm(places[:, None] - places, axis=2) + np.diag(np.full(120, np.inf))
    assert (group[distance.argmin(axis=1)] == group).all()


def test_umap_of_very_few_samples_is_where_it_would_start():
    scores = np.arange(9.0).reshape(3, 3)
    assert projection.umap(scores, 1).tolist() == scores[:, :2].tolist()


def test_runs_of_a_study_are_kept_or_dropped_and_those_not_in_the_archive_count_for_neither(run):
    samples, dropped = (read_table(run[name]) for name in ("samples", "dropped_runs"))
    table = corpus.runs_table(samples, dropped).set_index("study")
    assert (table["runs"] == table["kept"] + table["dropped"]).all()
    assert table["dropped"].to_dict() == {"SRP1": 1, "SRP2": 1, "SRP3": 1, "SRP4": 0, "SRP8": 9}
    assert table["kept"].sum() == samples["runs"].str.split(",").str.len().sum()


def test_reasons_are_counted_by_run_and_study_the_largest_first(run):
    table = corpus.reason_table(read_table(run["dropped_runs"]))
    told = table[["reason", "runs", "studies"]].to_numpy().tolist()
    assert told[:2] == [["study_unusable", 9, 1], ["few_mapped_reads", 2, 2]]
    assert table["meaning"].tolist()[1] == "too few mapped reads"


def test_spellings_and_what_is_left_of_them_are_told(run, settings, tmp_path):
    rows = [
        ("tissue", "tissue", "Livers", "liver", 7, 2),
        ("tissue", "organ", "x", "", 1, 1),
        ("sex", "sex", "M", "male", 5, 1),
    ]
    columns = ["attribute", "key", "written", "term", "samples", "studies"]
    write_table(pd.DataFrame(rows, columns=columns), tmp_path / "vocabulary.tsv")
    shown = corpus.section(Inputs(run | {"vocabulary": str(tmp_path / "vocabulary.tsv")}), settings)
    told = " ".join(block.text for block in shown.blocks if block.kind == "paragraph")
    assert "sex: 5 samples in 1 terms, 0 samples in 0 spellings left over" in told
    assert "tissue: 7 samples in 1 terms, 1 sample in 1 spelling left over" in told
    assert "corpus_vocabulary" in [block.name for block in shown.blocks if block.kind == "table"]


def corpus_names(run, settings):
    return [block.name for block in corpus.section(Inputs(run), settings).blocks if block.kind == "picture"]


def test_the_corpus_is_shown_by_components_and_by_umap_if_asked_for(run, settings):
    figures = ["corpus_depth", "corpus_dropped", "corpus_projection"]
    assert corpus_names(run, settings) == figures
    assert corpus_names(run, settings | {"report": {"embedding": "umap"}}) == [*figures, "corpus_umap"]


def test_a_corpus_of_two_organisms_says_so_and_is_coloured_by_them(run, settings, tmp_path):
    samples = read_table(run["samples"])
    samples["organism"] = np.where(np.arange(len(samples)) % 2, "human", "mouse")
    pairs = pd.DataFrame({"organism": "human", "gene": ["a", "b", "c"], "orthologue": ["A", "B", "C"]})
    pairs["use"] = ["used", "used", "one_to_many"]
    write_table(samples, tmp_path / "samples.parquet")
    write_table(pairs, tmp_path / "orthologues.tsv")
    changed = run | {name.split(".")[0]: str(tmp_path / name) for name in ("samples.parquet", "orthologues.tsv")}
    section = corpus.section(Inputs(changed), settings)
    words = "Studies of human and mouse are joined by 2 one-to-one pairs of genes, of 3 pairs in the table"
    assert words in section.blocks[0].text
    drawn = next(block.figure for block in section.blocks if block.kind == "picture" and "projection" in block.name)
    assert "By organism" in [ax.get_title(loc="left") for ax in drawn.axes]


def test_share_between_studies_is_one_for_shifted_copies_and_zero_for_equal_means():
    groups = np.repeat(["a", "b"], 10)
    apart = np.where(groups == "a", 1.0, 2.0)
    alike = np.tile([1.0, -1.0], 10)
    np.testing.assert_allclose(projection.share_between(np.stack([apart, alike], axis=1), groups), [1, 0], atol=1e-12)


def test_rows_for_looking_at_are_few_sorted_and_the_same_each_time():
    rows = projection.choose_rows(10_000, 50, 1)
    assert len(set(rows)) == 50
    assert (np.diff(rows) > 0).all()
    assert (rows == projection.choose_rows(10_000, 50, 1)).all()
    assert (rows != projection.choose_rows(10_000, 50, 2)).any()


def evaluation(model, pca):
    rows = [("mlp", "test", f"S{i}", "model", error, 4) for i, error in enumerate(model)]
    rows += [("mlp", "test", f"S{i}", "pca", error, 4) for i, error in enumerate(pca)]
    return pd.DataFrame(rows, columns=["base", "split_role", "study", "predictor", "masked_mse", "samples"])


@pytest.mark.parametrize(
    ("model", "wins", "words"),
    [
        ([0.40, 0.50, 0.45, 0.42], True, "(squared error saved +44.7% ["),
        ([1.00, 1.10, 1.05, 1.20], False, "(squared error saved -35.9% ["),
        ([0.70, 0.90, 0.60, 0.95], False, "is undecided (squared error saved +1.6% ["),
        ([0.40, 0.40], False, "too few studies for an interval"),
    ],
    ids=["better", "worse", "undecided", "too few"],
)
def test_the_page_says_whether_the_model_beats_the_best_simple_predictor(model, wins, words):
    [(text, won)] = pretrain.verdict(pretrain.error_table(evaluation(model, [0.8] * len(model))))
    assert won is wins
    assert words in text


def test_the_interval_is_that_of_a_paired_t_test():
    model, rival = [0.40, 0.62, 0.45, 0.42], [0.6, 0.7, 0.5, 0.8]
    row = pretrain.error_table(evaluation(model, rival)).set_index("predictor").loc["pca"]
    expected = stats.ttest_rel(rival, model).confidence_interval(0.95)
    assert row[["low", "high"]].tolist() == pytest.approx([expected.low, expected.high])


def test_model_wins_counts_studies_not_samples():
    table = pretrain.error_table(evaluation([0.1, 0.9, 0.9], [0.5, 0.5, 0.5])).set_index("predictor")
    assert table.loc["pca", "model_wins"] == 1
    assert table.loc["pca", "studies"] == 3
    assert pd.isna(table.loc["model", "model_wins"])


def test_families_follow_the_primary_contrasts_only():
    contrasts = pd.DataFrame(
        {"method": ["g", "x"], "against": ["control", "g"], "kind": ["primary", "secondary"]},
    )
    assert fewshot.families(contrasts) == {"g": "guided", "control": "compared"}


def test_cells_that_were_not_run_are_listed_with_their_reason(run, settings):
    section = fewshot.section(Inputs(run), settings)
    [table] = [block for block in section.blocks if block.kind == "table" and block.name == "fewshot_not_run"]
    assert table.frame["reason"].tolist() == ["no two studies share a label"]


def findings_of(section):
    return [block.text for block in section.blocks if block.kind == "paragraph" and block.tone == "finding"]


def test_each_primary_contrast_is_in_the_conclusion(run, settings):
    [text] = findings_of(fewshot.section(Inputs(run), settings))
    assert "2 comparisons: 2 better" in text
    assert "One pre-training seed" in text


def test_extremes_are_the_first_and_last_by_rank():
    mobility = pd.DataFrame({"gene_name": list("abcd"), "mobility": [4.0, 3, 2, 1], "rank": [1, 2, 3, 4]})
    table = guide.extremes(mobility, shown=2)
    assert table["most mobile"].tolist() == ["a", "b"]
    assert table["least mobile"].tolist() == ["d", "c"]


def test_out_degree_counts_edges_by_source():
    edges = pd.DataFrame({"source": ["a", "a", "b"], "target": ["b", "c", "c"]})
    assert network.out_degrees(edges).to_dict() == {"a": 2, "b": 1}


def test_rule_table_sums_time_over_jobs_and_takes_the_largest_memory(run, tmp_path):
    (tmp_path / "run/benchmarks/render_report").mkdir()
    (tmp_path / "run/benchmarks/render_report/all.tsv").write_text("s\tmax_rss\tcpu_time\n9\t900\t9\n")  # an older page
    table = resources.rule_table(resources.read_benchmarks(tmp_path / "run" / "benchmarks")).set_index("rule")
    assert table.index.tolist() == ["fetch_batch", "pretrain"]
    assert table.loc["fetch_batch", ["jobs", "total_seconds", "peak_memory_mb"]].tolist() == [2, 5.0, 100.5]


def test_the_start_of_jobs_is_read_from_their_logs(run, tmp_path):
    folder = tmp_path / "run"
    job = next((folder / "benchmarks/pretrain").glob("*.tsv")).stem
    log = folder / "logs/pretrain" / f"{job}.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"10:00:00 INFO {runtime.READY} 1.25 s\n10:00:01 INFO {runtime.READY} 9.00 s\n")
    table = resources.rule_table(resources.read_benchmarks(folder / "benchmarks")).set_index("rule")
    assert table["start_seconds"].tolist() == [0, 1.25]
    first, second = (block.text for block in resources.section(folder / "benchmarks").blocks[:2])
    assert first.startswith("Longest: ")
    assert "Interpreters and imports took 1 s of it" in second


def test_a_process_knows_when_it_began():
    said = runtime.seconds_since_start()
    assert abs(said - (time.time() - psutil.Process().create_time())) < 1


def test_a_folder_without_git_or_benchmarks_is_no_error(tmp_path):
    assert runtime.commit(tmp_path) is None
    section = resources.section(tmp_path / "nothing")
    assert [block.name for block in section.blocks] == ["run_versions"]


def test_the_head_says_that_a_generated_world_is_not_real_data(settings):
    demo = {"demo": {"studies": 60, "genes": 2000, "perturbations": 150}}
    assert "not real data" in overview.describe(settings | demo)[0]
    assert "not real data" not in overview.describe(settings)[0]


def test_the_head_says_where_studies_come_from():
    archive, own = {"archive": {"organism": "mouse"}}, {"user_studies": [{"name": "mine"}]}
    joined = {"corpus": {"joined": ["results/human/corpus", "results/other/corpus"]}}
    assert overview.describe(archive)[0] == "Studies of mouse from a recount3 archive."
    assert overview.describe(joined)[0] == "2 corpora of other runs."
    assert overview.describe(archive | own | joined)[0] == (
        "Studies of mouse from a recount3 archive, 1 supplied study and 2 corpora of other runs."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0, "0"), (1234567, "1,234,567"), (-3, "−3"), (0.123456, "0.123"), (0.0123456, "0.0123"), (12.3456, "12.3")],
        *[(123456.7, "123,457"), (-0.5, "−0.500"), (0.000012, "1.2e-05"), (float("nan"), "n/a"), (None, "n/a")],
        *[(True, "yes"), (np.False_, "no"), (pd.NA, "n/a"), (float("inf"), "∞"), ("a<b", "a<b")],
    ],
)
def test_values_are_printed_for_reading(value, text):
    assert value_text.text_of(value) == text


def test_whole_numbers_in_a_column_with_gaps_stay_whole():
    rows = value_text.grid(pd.DataFrame({"rank": [1.0, np.nan, 1200.0]}))["rows"]
    assert [text for [(text, _, _)] in rows] == ["1", "n/a", "1,200"]


def test_svg_keeps_text_as_text_and_carries_no_date():
    drawn, axes = style.figure()
    axes[0, 0].set_xlabel("köln & <b>")
    text = style.svg(drawn, "x")
    assert "köln &amp; &lt;b&gt;" in text
    assert "dc:date" not in text
    assert "<metadata" not in text


def test_two_inline_figures_share_no_identifier():
    texts = []
    for name in ("one", "two"):
        drawn, axes = style.figure()
        axes[0, 0].plot([0, 1], [0, 1], marker="o")
        texts.append(style.inline(style.svg(drawn, name), name, "label"))
    one, two = (set(text.split('id="')[k].split('"')[0] for k in range(1, text.count('id="') + 1)) for text in texts)
    assert one
    assert not one & two


def test_every_rule_is_listed_under_the_stage_of_its_rule_file():
    files = (Path(__file__).parents[3] / "rules").glob("*.smk")
    stages = {rule: path.stem for path in files for rule in re.findall(r"^rule (\w+):", path.read_text(), re.MULTILINE)}
    assert stages
    assert {rule: resources.RULES.get(rule) for rule in stages} == stages
    assert set(stages.values()) == set(resources.STAGES)


def test_labels_that_name_no_gene_are_shown(run):
    blocks = {block.name: block for block in screen.section(Inputs(run, LABELS)).blocks}
    row = blocks["screen_cells"].frame.iloc[0]
    assert (row["screen"], row["control"], row["no gene of the file"], row["such as"]) == ("demo", "ctrl", 1, "Gene9")


def test_names_that_were_matched_are_shown_by_stage_and_warnings_by_study(tmp_path):
    join = match_names(["A", "b", "C.1"], ["A", "B", "C"], "genes of the list to those of the graph", "list.txt")
    write_table(joins_table([join]), tmp_path / "joins.tsv")
    write_table(joins_table([]), tmp_path / "none.tsv")
    text = "condition and batch are the same thing here: nothing can be told apart"
    write_table(pd.DataFrame({"kind": ["confounded"], "text": [text]}), tmp_path / "notes.tsv")
    named = {"graph_joins": [tmp_path / "none.tsv", tmp_path / "joins.tsv"], "user_notes": [tmp_path / "notes.tsv"]}
    named |= {"user_joins": [tmp_path / "joins.tsv"]}
    labels = {"graph_joins": [{"graph": "go"}, {"graph": "edges"}]}
    labels |= {name: [{"study": "mine"}] for name in ("user_notes", "user_joins")}
    inputs = Inputs(named, labels)
    [shown] = joins_blocks(inputs, "graph")
    row = shown.frame.iloc[0]
    assert (len(shown.frame), row["graph"], row["matched"], row["near"]) == (1, "edges", 2, "C.1 (C)")
    warning, table = user_blocks(inputs)
    assert (warning.text, warning.tone) == (f"Study mine: {text}.", "warning")
    assert table.frame["study"].tolist() == ["mine"]
    assert joins_blocks(inputs, "screen") == []


def test_a_screen_without_cells_has_no_row_among_responding_genes(run):
    genes = read_table(run["screen_genes"][0]).assign(screen="demo")
    effects = pd.DataFrame(
        {"screen": ["demo", "coordinates"], "perturbation": ["Gene1", "Gene2"], "strength": [1.0, 2.0]}
    )
    table = screen.response_table(genes, effects)
    assert table["screen"].tolist() == ["demo"]
    assert table["top genes (log2 fold change)"].iloc[0].startswith("Gene1 (−0.50), Gene2 (−1.00)")


def test_contrasts_are_shown_as_percent_of_what_is_left_to_gain(run):
    contrasts = read_table(run["selection_contrasts"])
    np.testing.assert_allclose(
        selection.relative(contrasts)["difference"], 100 * contrasts["difference"] / contrasts["room"], rtol=1e-12
    )


def test_rounds_are_said_to_take_as_many_cycles_and_days_as_they_do(run):
    (text,) = choices.calendar(read_table(run["selection_costs"]))
    assert "once, choosing in rounds here 5 times: 40 days against 200" in text
    assert "at most 3 s (bald)" in text
    assert choices.calendar(read_table(run["selection_costs"])[:1]) == []


def test_what_choices_cover_is_given_for_the_budget_nearest_to_a_fifth_of_the_pool():
    table = pd.DataFrame({"screen": ["a", "a", "b"], "pool": [40, 40, 100], "budget": [8, 12, 50]})
    assert choices.at_typical(table)["budget"].tolist() == [8, 50]


def test_of_many_ways_of_choosing_the_planned_and_the_best_are_drawn():
    graphs, errors = ["g", "h"], range(20)
    rows = [("s", g, f"s{e:02d}", "mse", "graph_ridge", e + (g == "h")) for g in graphs for e in errors]
    rows += [("s", "none", "random", "mse", "graph_ridge", 50), ("s", "g", "reach@usage", "mse", "graph_ridge", 60)]
    table = pd.DataFrame(rows, columns=["screen", "graph", "selector", "metric", "predictor", "mean"])
    drawn = selection.selector_graph_pairs(selection.drawn_ways(table, table))
    assert {("random", "none"), ("reach@usage", "g"), ("s00", "g"), ("s00", "h"), ("s01", "g")} <= set(drawn)
    assert len(drawn) == selection.WAYS_DRAWN


def test_each_primary_contrast_of_selection_gets_its_own_sentence(run):
    contrasts = read_table(run["selection_contrasts"])
    primary = contrasts[contrasts["kind"] == "primary"]
    other = primary.assign(screen="second")
    sentences = selection.conclusions(pd.concat([contrasts, other]))
    assert [("demo" in text, "second" in text) for text in sentences] == [(True, False), (False, True)]
    assert "No primary contrast" in selection.conclusions(contrasts[contrasts["kind"] == "secondary"])[0]


def test_each_objective_of_a_base_has_a_panel_of_its_own(run):
    drawn = pretrain.loss_figure(Inputs(run, LABELS).stacked("pretrain_history"))
    labels = [ax.get_ylabel() for ax in drawn.axes if ax.get_visible()]
    assert labels == ["masked squared error\n(z-scored expression)", "cross-entropy of labels\n(nats)"]


def test_a_history_without_objectives_shows_its_sum():
    history = pd.DataFrame({"base": "a", "step": [1, 2], "train_loss": [1.0, 0.5], "validation_loss": [np.nan, 0.6]})
    assert pretrain.objectives(history) == ["loss"]
    assert [ax.get_ylabel() for ax in pretrain.loss_figure(history).axes] == ["weighted sum"]


def test_labels_of_neighbouring_panels_do_not_run_into_each_other():
    rivals = ["model", "gene_mean", "pca", "pca_tuned"]
    rows = [("mlp", "test", f"s{n}", rival, 1 + n / 10 + m) for n in range(4) for m, rival in enumerate(rivals)]
    table = pd.DataFrame(rows, columns=["base", "split_role", "study", "predictor", "masked_mse"])
    drawn = pretrain.error_figure(table)
    drawn.canvas.draw()
    for texts in ([ax.xaxis.label for ax in drawn.axes], [ax.title for ax in drawn.axes]):
        places = [text.get_window_extent() for text in texts]
        assert len(places) == 3
        assert all(one.x1 < other.x0 for one, other in itertools.pairwise(places))


def test_the_page_says_what_the_embedding_is_worth_and_how_many_genes_were_found(run):
    section = pretrain.section(Inputs(run, LABELS))
    assert any("Frozen embedding does better than" in text and "0.815 against" in text for text in findings_of(section))
    blocks = {block.name: block for block in section.blocks if block.kind == "table"}
    assert blocks["pretrain_embeddings"].frame.iloc[0].tolist() == ["mlp", "mine", 2, 3, 0.9]
    means = blocks["pretrain_method_means"].frame.set_index(["method", "seed"])["value"]
    assert means["embedding", 2] == pytest.approx(0.82)
    assert blocks["pretrain_contrasts"].frame["difference"].tolist()[:2] == pytest.approx([0.305, 0.305])
    others = blocks["pretrain_scores"].frame
    assert others[["metric", "value", "studies"]].to_numpy().tolist() == [["balanced_accuracy_tissue", 0.75, 4]]


@pytest.mark.parametrize(
    ("mode", "batch", "words"),
    [
        ("moments", 8, "learned from 8 perturbations at a time, by four moments"),
        ("moments", 0, "learned from all perturbations at a time"),
        ("corrected", 32, "learned from 32 cells at a time (mode corrected)"),
    ],
)
def test_the_page_says_what_a_training_step_of_gears_saw(mode, batch, words):
    assert words in perturbation.how_gears_learned({"mode": mode, "batch": batch})


def job(log, ending=""):
    """A job that writes a line after a second, and ends as it is told."""
    text = f"import logging, os, time\nfrom scarceseq import runtime\nruntime.start({str(log)!r})\n"
    text += f"time.sleep(1.2)\nlogging.info('half')\n{ending}\n"
    return subprocess.run([sys.executable, "-c", text], cwd=Path(runtime.__file__).parents[1], capture_output=True)


@pytest.mark.parametrize("ending", ["os.kill(os.getpid(), 9)", "raise ValueError('no')"])
def test_run_times_count_attempts_that_were_killed_or_failed(tmp_path, ending):
    log = tmp_path / "logs/train/all.log"
    log.parent.mkdir(parents=True)
    for _ in range(2):
        job(log, ending)
        log.unlink()  # as Snakemake does before the next attempt
    job(log)
    earlier = runtime.earlier_seconds(log.read_text())
    (tmp_path / "benchmarks/train").mkdir(parents=True)
    (tmp_path / "benchmarks/train/all.tsv").write_text("s\tmax_rss\tcpu_time\n10\t100\t9\n")
    table = resources.read_benchmarks(tmp_path / "benchmarks")
    assert table["seconds"].tolist() == [10 + earlier]
    assert 2 <= earlier <= 6
    job(log)
    assert runtime.earlier_seconds(log.read_text()) == 0, "a run after one that succeeded is another run"


def test_scouts_that_are_all_perfect_are_said_to_be_too_easy():
    accuracy = pd.DataFrame({"base": "mlp", "scheme": ["a", "a", "b", "b"], "held_out_accuracy": [1.0, 1.0, 1.0, 0.9]})
    [text] = guide.perfect_scouts(accuracy)
    assert text.startswith("All 2 scouts of a (base mlp) are right on every sample")
    assert guide.perfect_scouts(accuracy[2:]) == []


def test_spans_of_one_thing_are_in_the_singular():
    assert wording.span([1, 1], "pre-training seed") == "1 pre-training seed"
    assert wording.span([1, 3], "study", "studies") == "1 to 3 studies"
    assert wording.span([1200]) == "1,200"


def test_genes_that_differ_are_counted(tmp_path):
    columns = {"gene_id": ["g1", "g2", "g3"], "gene_name": ["A", "B", "C"], "adjusted_p_value": [0.001, 0.04, 0.6]}
    write_table(pd.DataFrame(columns), tmp_path / "differential_genes.tsv")
    summary = {"classes": ["a", "b"], "tested": 1200, "blocked": True, "summed": 2}
    (tmp_path / "differential_genes.json").write_text(json.dumps(summary))
    named = {"own_differential_genes": tmp_path / "differential_genes.tsv"}
    inputs = Inputs(named | {"own_differential_genes_json": tmp_path / "differential_genes.json"})
    said, table = own_study.differential_blocks(inputs)
    assert "2 genes of 1,200 tested differ" in said.text
    assert "the first are A, B, C" in said.text
    assert "A moderated t on log2 counts" in table.note
    assert "groups as blocks" in table.note
    assert "2 groups" in table.note


def test_the_networks_list_says_how_far_it_is_that_of_the_counts():
    checked = {"method": "full_fine_tuning", "completeness_error": 0.01, "compared": 1200, "compared_first": 50}
    checked |= {"shared": 7, "expected_by_chance": 2.1, "rank_correlation": 0.234, "silent": 30, "named": 50}
    text = own_study.genes_sentence(checked)
    assert "7 are among the first 50 by counts alone (2.1 would be by chance)" in text
    assert "Over 1,200 genes the two rankings correlate by 0.23" in text
    assert "too few of them were tested" in own_study.genes_sentence(checked | {"rank_correlation": None})
    genes = pd.DataFrame({"gene_id": ["g1", "g2"], "gene_name": ["A", "B"], "highest_in": ["a", "b"], "rank": [1, 2]})
    genes = genes.assign(floored_attribution=[0.2, 0.1], differential_rank=[2, 1], differential_p_value=[0.2, 0.1])
    checked |= {"silent_share": 0.4, "genes": 4000}
    blocks = own_study.network_blocks(genes, checked, {"best_beats_chance": False})
    assert blocks[0].text.endswith("so that this list may be noise.")
    assert blocks[1].tone == "warning"
    assert blocks[1].text.startswith(
        "30 of the first 50 genes are silent in the studies that the model was made with (40%"
    )
    few = own_study.network_blocks(genes, checked | {"silent": 1}, {"best_beats_chance": True})
    assert (few[1].tone, few[1].text[:34]) == ("plain", "1 of the first 50 genes is silent ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "By its own model the list is worth about 40 random genes. On real screens, chosen on GO and STRING"),
        ({"equivalent_random": None}, "worth more than 60 random genes"),
        ({"graph": "go, mine"}, "is not known here: real screens stand behind choices on go, string, none behind mine"),
        ({"criterion": "reach"}, "is not known here: no real screens stand behind this criterion"),
        ({"criterion": "random"}, None),
        ({"costs": True}, None),
    ],
)
def test_what_a_list_is_worth_is_said_where_real_screens_stand_behind_it(changes, words):
    summary = {"criterion": "v_optimal", "costs": False, "error": 0.9, "equivalent_random": 40, "curve_genes": 60}
    summary |= {"hits": None}
    rows = [(f"s{number}", "go, string", 4.0, 6.0, 1.0, 9.0) for number in range(3)]
    evidence = pd.DataFrame(rows, columns=["screen", "graphs", "predicted", "realised", "low", "high"])
    text = design.worth(summary | {"graph": "go"} | changes, evidence)
    assert text == "" if words is None else words in text
