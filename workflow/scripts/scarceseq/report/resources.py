"""Run times and peak memory from Snakemake's benchmark files, and the versions of what ran."""

import platform
import re
from importlib import metadata
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from scarceseq.report import style
from scarceseq.report.blocks import Paragraph, Picture, Section, Table
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import count, words
from scarceseq.runtime import READY, earlier_seconds

PACKAGES = ("snakemake", "torch", "numpy", "pandas", "scipy", "scikit-learn", "scanpy", "anndata", "matplotlib")
LONGEST = 3
RULES_OF = {
    "demo": "generate_demo",
    "archive": "fetch_annotation list_studies fetch_batch import_study",
    "corpus": "build_shard merge_corpus split_studies",
    "pretrain": "pretrain embed embed_genes compare_embeddings",
    "guide": "plan_scouts train_scouts compute_guide meta_train pack_model",
    "fewshot": "plan_episodes fit_episodes score_fewshot",
    "own_study": "unpack_model import_own_study check_own_study compare_own_study choose_own_study permute_own_study "
    "extend_own_study predict_own_study explain_own_study",
    "network": "build_graph build_embedding",
    "screen": "fetch_screen normalise_cells prepare_screen",
    "perturbation": "calibrate_metrics fit_predictors score_predictions score_predictors score_interactions "
    "transfer_screen score_transfer",
    "selection": "rank_perturbations select_in_rounds fit_selection describe_selection score_selection",
    "prediction": "predict_screen",
    "design": "design_screen plan_cells",
    "report": "render_report",
}
"""Stages in their order, each with its rules."""
STAGES = list(RULES_OF)
RULES = {rule: stage for stage, rules in RULES_OF.items() for rule in rules.split()}


def read_benchmarks(folder: str | Path) -> pd.DataFrame:
    """All benchmark files below a folder, but that of the report, which would be of the page before.

    `folder` holds one folder per rule with one file per job, columns ``s`` (seconds), ``max_rss`` (MB), ``cpu_time``
    (s). Returns rule, job, seconds (of all attempts), start_seconds (interpreter and imports, from the job's log in the
    folder ``logs`` beside; NaN if that does not say), cpu_seconds, peak_memory_mb; empty if there is no file.
    """
    frames = []
    for path in sorted(Path(folder).glob("*/*.tsv")):
        if path.parent.name == "render_report":
            continue
        frame = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        log = Path(folder).parent / "logs" / path.parent.name / f"{path.stem}.log"
        started, earlier = _told_by(log)
        frame = frame.assign(rule=path.parent.name, job=path.stem, start_seconds=started, s=frame["s"] + earlier)
        frames.append(frame.rename(columns={"s": "seconds", "max_rss": "peak_memory_mb", "cpu_time": "cpu_seconds"}))
    names = ["rule", "job", "seconds", "start_seconds", "cpu_seconds", "peak_memory_mb"]
    return pd.concat(frames, ignore_index=True).reindex(columns=names) if frames else pd.DataFrame(columns=names)


def _told_by(log: Path) -> tuple[float, float]:
    """Seconds of the start (NaN if the log does not say), and of attempts that failed before the last."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        text = ""
    said = re.search(rf"{READY} ([0-9.]+) s", text)
    return float(said[1]) if said else float("nan"), earlier_seconds(text)


def rule_table(jobs: pd.DataFrame) -> pd.DataFrame:
    """Jobs, total and longest time, and peak memory per rule, in the order of the stages."""
    table = jobs.groupby("rule").agg(
        jobs=("job", "size"),
        total_seconds=("seconds", "sum"),
        longest_seconds=("seconds", "max"),
        start_seconds=("start_seconds", "sum"),
        cpu_seconds=("cpu_seconds", "sum"),
        peak_memory_mb=("peak_memory_mb", "max"),
    )
    table = table.reset_index()
    table.insert(0, "stage", table["rule"].map(RULES).fillna("other"))
    order = {stage: place for place, stage in enumerate(STAGES)}
    table = table.sort_values(
        ["stage", "rule"], key=lambda column: column.map(order).fillna(99) if column.name == "stage" else column
    )
    return table.reset_index(drop=True)


@style.styled
def time_figure(table: pd.DataFrame) -> Figure:
    """Bars of total time and of peak memory per rule."""
    drawn, axes = style.figure(8.4, 0.8 + 0.23 * len(table), columns=2, sharey=True)
    stages = [stage for stage in [*STAGES, "other"] if stage in set(table["stage"])]
    colours = [style.PALETTE[stages.index(stage) % 2 * 5] for stage in table["stage"]]
    labels = [
        f"{words(row.rule)}: {text_of(row.total_seconds)} s, {count(row.jobs, 'job')}, at most "
        f"{text_of(row.peak_memory_mb)} MB"
        for row in table.itertuples()
    ]
    for ax, column, title in zip(
        axes[0], ["total_seconds", "peak_memory_mb"], ["time, all jobs (s)", "peak memory of a job (MB)"], strict=True
    ):
        bars = ax.barh(range(len(table)), table[column].fillna(0), color=colours)
        for bar, text in zip(bars, labels, strict=True):
            style.tell(bar, text)
        ax.set_xlabel(title)
        ax.grid(True, axis="x")
        style.plain_ticks(ax.xaxis)
    axes[0, 0].set_yticks(range(len(table)), [f"{row.stage}: {words(row.rule)}" for row in table.itertuples()])
    axes[0, 0].invert_yaxis()
    return drawn


def versions() -> pd.DataFrame:
    """Versions of the interpreter and of the packages that were installed where the report was made."""
    rows = [("python", platform.python_version())]
    for name in PACKAGES:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append((name, "not installed"))
    return pd.DataFrame(
        [*rows, ("system", f"{platform.system()} {platform.machine()}")], columns=["package", "version"]
    )


def longest(table: pd.DataFrame, total: float) -> str:
    """Which rules of `rule_table` took longest of the `total` seconds of all jobs, and what a rerun redoes."""
    first = table.sort_values("total_seconds", ascending=False, kind="stable").head(LONGEST)
    named = ", ".join(f"{words(row.rule)} {row.total_seconds / total:.0%}" for row in first.itertuples())
    return (
        f"Longest: {named} of the time of all jobs. A rerun redoes only what has changed, and what follows from it; "
        "`snakemake -n` lists it."
    )


def section(folder: str | Path) -> Section:
    """Section of the page: always there, since at least the versions are known."""
    jobs = read_benchmarks(folder)
    blocks: list = []
    if len(jobs):
        table = rule_table(jobs)
        seconds, started = jobs["seconds"].sum(), jobs["start_seconds"].sum()
        blocks += [
            Paragraph(longest(table, seconds)),
            Paragraph(
                f"{len(jobs):,} jobs took {seconds:,.0f} s in all, counted one after another (side by side, a run is "
                "shorter). Each is its last run, with the attempts at it that failed before; the report itself is not "
                "among them. Interpreters and imports "
                f"took {started:,.0f} s of it, {started / seconds:.0%}; Snakemake's own start is not counted."
            ),
            _picture(table),
            Table("run_rules", table, "Time and memory per rule"),
            Table("run_jobs", jobs, "Time and memory per job"),
        ]
    blocks.append(Table("run_versions", versions(), "Versions"))
    return Section("resources", "Run times and versions", blocks)


def _picture(table: pd.DataFrame) -> Picture:
    return Picture(
        "run_times",
        time_figure(table),
        "Time and memory per rule",
        "Left: wall time summed over a rule's jobs. Right: resident memory of its largest job. Colours alternate by "
        "stage.",
        f"{int(table['jobs'].sum()):,} jobs of {len(table):,} rules.",
        "Times include interpreter and imports (start_seconds in the tables) and depend on what else the machine did. "
        "Memory is sampled, so "
        "that a job of a few seconds may have none or too little.",
    )
