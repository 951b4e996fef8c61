"""Pre-training: loss over steps, and the model against simple predictors on studies it never saw."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scarceseq.report import embeddings, style
from scarceseq.report.blocks import Block, Paragraph, Picture, Section, Table
from scarceseq.report.inputs import Inputs
from scarceseq.report.value_text import text_of
from scarceseq.report.wording import count, words
from scarceseq.statistics.intervals import mean_interval
from scarceseq.statistics.outcomes import Outcome
from scarceseq.statistics.writer import Contrast, sentence

LABEL_LETTERS = 36  # that fit under a panel
PANEL_TITLES = {"gene_mean": "gene means", "pca": "components, as many", "pca_tuned": "components, tuned"}
PREDICTOR_WORDS = {
    "model": "pre-trained model",
    "gene_mean": "mean of each gene",
    "pca": "as many principal components as the model is wide",
    "pca_tuned": "principal components, their number chosen on validation studies",
}
SIMPLE_KNOWS_MORE = " The simple predictor knows more about the genes."
LOSS_WORDS = {
    "loss": "weighted sum",
    "masked_expression": "masked squared error\n(z-scored expression)",
    "read_counts": "negative log-likelihood of reads\n(nats per masked gene)",
    "labels": "cross-entropy of labels\n(nats)",
    "study_adversary": "cross-entropy of studies\n(nats)",
    "study_differences": "masked squared error\n(difference to the study's mean)",
}
# Objectives that are 0 for a study that was not trained on.
TRAINED_ALONE = ("study_adversary", "study_differences")


def objectives(history: pd.DataFrame) -> list[str]:
    """Names of a base's objectives in its history, `loss` where it holds nothing else."""
    trained = [name for name in history if name.startswith("train_") and history[name].notna().any()]
    return [name.removeprefix("train_") for name in trained if name != "train_loss"] or ["loss"]


@style.styled
def loss_figure(history: pd.DataFrame) -> Figure:
    """Training and held-out loss over steps: one row per base, one panel for each of its objectives.

    `history`: base, step, train_loss, validation_loss (NaN at steps without evaluation), and the same two per
    objective.
    """
    histories = {base: group.sort_values("step") for base, group in history.groupby("base", sort=True)}
    columns = max(len(objectives(group)) for group in histories.values())
    drawn, axes = style.figure(
        max(4.6, 3.4 * columns), 2.6 * len(histories) + 0.4, rows=len(histories), columns=columns
    )
    for row, (base, group) in zip(axes, histories.items(), strict=True):
        names = objectives(group)
        for ax, name in zip(row, names, strict=False):
            label = LOSS_WORDS.get(name, words(name))
            _loss_panel(ax, group, name, label.replace("\n", " "))
            ax.set(title=base, ylabel=label)
        for ax in row[len(names) :]:
            ax.set_visible(False)
    axes[0, 0].legend(loc="best")
    return drawn


def _loss_panel(ax: Axes, history: pd.DataFrame, name: str, label: str) -> None:
    learning = ax.plot(history["step"], history[f"train_{name}"], color=style.SKY, label="pretrain studies")
    style.tell(learning, f"pretrain studies, {label}")
    held_out = history.dropna(subset=[f"validation_{name}"])
    if len(held_out) and name not in TRAINED_ALONE:
        values = held_out[f"validation_{name}"]
        judged = ax.plot(held_out["step"], values, color=style.ORANGE, marker="o", ms=3, label="held-out studies")
        text = f"held-out studies, {label}"
        points = zip(held_out["step"], values, strict=True)
        style.tell(judged, text, [f"{text}, step {step:,}: {text_of(value)}" for step, value in points])
    ax.set_xlabel("optimiser step")
    style.plain_ticks(ax.xaxis)
    ax.set_ylim(bottom=0)
    ax.yaxis.grid(True)


def error_table(evaluation: pd.DataFrame) -> pd.DataFrame:
    """Masked squared error per base, role and predictor: the mean over studies, and in how many the model wins.

    `evaluation`: base, split_role, study, predictor, masked_mse, samples. Returns base, split_role, predictor,
    masked_mse (mean over studies), studies, samples, model_wins (studies in which the model's error is below the
    predictor's), low and high (95% t interval of the predictor's error minus the model's, paired by study; missing
    below three studies).
    """
    rows = []
    for (base, role), group in evaluation.groupby(["base", "split_role"], sort=True):
        wide = group.pivot(index="study", columns="predictor", values="masked_mse")
        samples = group.groupby("study")["samples"].first().sum()
        for predictor in wide.mean().sort_values().index:
            wins = int((wide["model"] < wide[predictor]).sum()) if "model" in wide and predictor != "model" else None
            low, high = mean_interval(wide[predictor] - wide["model"]) if wins is not None else (np.nan, np.nan)
            rows.append((base, role, predictor, wide[predictor].mean(), len(wide), int(samples), wins, low, high))
    names = ["base", "split_role", "predictor", "masked_mse", "studies", "samples", "model_wins", "low", "high"]
    return pd.DataFrame(rows, columns=names).astype({"model_wins": "Int64"})


def score_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean over studies of each score: base, split_role, metric, predictor, value, studies, samples."""
    keys = ["base", "split_role", "metric", "predictor"]
    return scores.groupby(keys, as_index=False).agg(
        value=("value", "mean"), studies=("study", "nunique"), samples=("samples", "sum")
    )


def comparisons(errors: pd.DataFrame) -> list[Contrast]:
    """The model against the best simple predictor on held-out studies, for each base and role of `error_table`."""
    contrasts = []
    for (base, role), group in errors.groupby(["base", "split_role"], sort=True):
        model, rivals = group[group["predictor"] == "model"], group[group["predictor"] != "model"]
        if model.empty or rivals.empty:
            continue
        best = rivals.loc[rivals["masked_mse"].idxmin()]
        studies = count(int(best["studies"]), f"{words(role)} study", f"{words(role)} studies")
        name = PREDICTOR_WORDS.get(best["predictor"], words(best["predictor"]))
        percent = 100 / best["masked_mse"]
        compared = Contrast(
            subject="the model",
            rival=f"the best simple predictor ({name})",
            difference=100 - float(model["masked_mse"].iloc[0]) * percent,
            low=best["low"] * percent,
            high=best["high"] * percent,
            n=f"the smaller error in {best['model_wins']} of {best['studies']:,}",
            measure="squared error saved",
            place=f"base {base}, masked genes of {studies}",
            unit="%",
            decimals=1,
            reason="too few studies for an interval" if np.isnan(best["low"]) else "",
        )
        contrasts.append(compared)
    return contrasts


def verdict(errors: pd.DataFrame) -> list[tuple[str, bool]]:
    """One sentence per base and role of `error_table`, and whether the model beats the best simple predictor beyond
    studies' scatter.
    """
    sentences = []
    for compared in comparisons(errors):
        text = sentence(compared) + SIMPLE_KNOWS_MORE * (compared.outcome == Outcome.WORSE)
        sentences.append((f"{text} One seed of pre-training.", compared.outcome == Outcome.BETTER))
    return sentences


def masked_errors(scores: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``evaluation.tsv`` on the squared error at masked genes."""
    return scores[scores["metric"] == "masked_mse"].rename(columns={"value": "masked_mse"})


@style.styled
def error_figure(evaluation: pd.DataFrame) -> Figure:
    """Error of the model against each simple predictor, one point per study, one panel per rival."""
    rivals = [name for name in sorted(evaluation["predictor"].unique()) if name != "model"]
    drawn, axes = style.figure(3.4 * len(rivals), 3.4, columns=len(rivals))
    wide = evaluation.pivot_table(index=["base", "split_role", "study"], columns="predictor", values="masked_mse")
    for ax, rival in zip(axes[0], rivals, strict=True):
        limits = np.array([wide[[rival, "model"]].min().min() * 0.95, wide[[rival, "model"]].max().max() * 1.05])
        ax.plot(limits, limits, color=style.GREY, lw=0.9, ls="--")
        roles = wide.groupby(level=["base", "split_role"], sort=True)
        name = PANEL_TITLES.get(rival, words(rival))
        for place, ((base, role), errors) in enumerate(roles):
            label = f"{base}, {words(role)}"
            look = {"marker": style.MARKERS[place % 8], "color": style.PALETTE[place % 8], "alpha": 0.85, "lw": 0}
            points = ax.scatter(errors[rival], errors["model"], s=16, label=label, **look)
            rows = zip(errors.index.get_level_values("study"), errors["model"], errors[rival], strict=True)
            texts = [f"{study}, {label}: model {text_of(ours)}, {name} {text_of(other)}" for study, ours, other in rows]
            style.tell(points, label, texts)
        label = textwrap.fill(f"error of {PREDICTOR_WORDS.get(rival, words(rival))}", LABEL_LETTERS)
        ax.set(xlabel=label, aspect="equal", title=name)
    axes[0, 0].set_ylabel("error of the model")
    axes[0, 0].legend(loc="upper left")
    return drawn


def section(inputs: Inputs) -> Section | None:
    """Section of the page, or None if nothing was pre-trained."""
    if not inputs.has("pretrain_history"):
        return None
    history = inputs.stacked("pretrain_history")
    loss = Picture(
        "pretrain_loss",
        loss_figure(history),
        "Loss while pre-training",
        "A panel per base and objective. Squared errors of masked genes are in units of each gene's variance over the "
        "training studies: 1 is what predicting every gene's mean would cost there.",
        f"{count(history['base'].nunique(), 'base model')}, up to {int(history['step'].max()):,} steps.",
        "A held-out curve that rises while the other falls is over-fitting to studies; a curve still falling at its "
        "end is a run stopped early.",
    )
    evaluated = _evaluation_blocks(inputs.stacked("pretrain_evaluation")) if inputs.has("pretrain_evaluation") else []
    return Section("pretrain", "Pre-training", [loss, *evaluated, *embeddings.blocks(inputs)])


def _evaluation_blocks(scores: pd.DataFrame) -> list[Block]:
    """The model against simple predictors on held-out studies, and its other objectives."""
    evaluation = masked_errors(scores)
    errors = error_table(evaluation)
    blocks: list[Block] = [Paragraph(text, "finding" if wins else "warning") for text, wins in verdict(errors)]
    note = (
        "Mean over studies of the squared error at masked genes, z-scored; smaller is better. 'Model wins' counts the "
        "studies in which the model's error is below that predictor's. Principal components are as many as the model "
        "is wide."
    )
    blocks.append(Table("pretrain_errors", errors, "Masked genes of held-out studies", note))
    if evaluation["predictor"].nunique() > 1 and "model" in set(evaluation["predictor"]):
        picture = Picture(
            "pretrain_against_simple",
            error_figure(evaluation),
            "Model against simple predictors, study by study",
            "Each point is a held-out study; below the dashed line the model's error is the smaller one.",
            f"{evaluation['study'].nunique():,} studies.",
            "The studies are the unit: many samples of one study are one point. A mask that differs between predictors "
            "would break the pairing.",
        )
        blocks.append(picture)
    others = score_table(scores[scores["metric"] != "masked_mse"])
    if len(others):
        note = (
            "Mean over studies. Log-likelihood: nats per masked gene, larger is better. Balanced accuracy of label "
            "heads: over a study's classes; `majority` says the most frequent class of the training samples."
        )
        blocks.append(Table("pretrain_scores", others, "Other objectives on held-out studies", note))
    return [*blocks, Table("pretrain_evaluation", scores, "Scores per study")]
