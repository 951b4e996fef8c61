"""The methods of this run as text to paste, with its numbers, versions and seed, and the references as BibTeX."""

from collections.abc import Mapping, Sequence
from typing import Any

from scarceseq.config.selector_names import selector_jobs
from scarceseq.report.blocks import Question, Section
from scarceseq.report.references import REFERENCES
from scarceseq.report.resources import versions
from scarceseq.report.wording import count, listed

CITED = {
    "archive": ["wilks2021"],
    "pretrain": [],
    "guide": ["gtl_images", "gtl_rnaseq"],
    "fewshot": ["nadeau2003", "holm1979", "demsar2006"],
    "own_study": ["nadeau2003"],
    "perturbation": ["ahlmann2025", "roohani2024"],
    "selection": ["graph_selection", "nadeau2003", "holm1979"],
    "prediction": [],
    "design": ["yu2006"],
}


def cards_of(sections: Sequence[Section]) -> list[Question]:
    """The questions of the first screen; empty if the run answers none."""
    blocks = [block for section in sections for block in section.blocks]
    return [question for block in blocks if block.kind == "cards" for question in block.questions]


def methods(settings: Mapping[str, Any], questions: Sequence[Question], commit: str | None) -> str:
    """Markdown: what was done in each stage that ran, what came out, and with which software.

    `settings` is the whole config, defaults filled in; `questions` are those of the first screen; `commit` is the
    code's.
    """
    stages = {"archive": _archive, "corpus": _corpus, "pretrain": _pretrain, "guide": _guide, "fewshot": _fewshot}
    stages |= {"own_study": _own, "perturbation": _perturbation, "selection": _selection}
    stages |= {"prediction": _prediction, "design": _design}
    paragraphs = [
        f"{write(settings[stage])}{_citations(stage)}" for stage, write in stages.items() if stage in settings
    ]
    world = ["All data were generated, with known truth; they are not real."] if "demo" in settings else []
    results = [f"- {each.card.question} {' '.join(each.card.sentences)} ({_figures(each)})" for each in questions]
    software = ", ".join(f"{row.package} {row.version}" for row in versions().itertuples())
    made = (
        f"The run was made by scarceseq{f' at commit {commit}' if commit else ''}, a Snakemake workflow [@molder2021], "
        f"with all random draws derived from seed {settings.get('seed')}. Software: {software}."
    )
    came_out = ["# Results of this run", "\n".join(results)] if results else []
    return "\n\n".join(["# Methods", *world, *paragraphs, made, *came_out, ""])


def bibliography(settings: Mapping[str, Any]) -> str:
    """BibTeX of the works that `methods` cites for this run."""
    keys = dict.fromkeys([key for stage in CITED if stage in settings for key in CITED[stage]] + ["molder2021"])
    return "\n".join(REFERENCES[key] for key in sorted(keys))


def _citations(stage: str) -> str:
    keys = CITED.get(stage, [])
    return f" [{'; '.join(f'@{key}' for key in keys)}]" if keys else ""


def _figures(question: Question) -> str:
    card = question.card
    interval = f", interval {card.low:.2f} to {card.high:.2f}" if card.low == card.low else ""
    value = f"{card.value:.2f}{interval}; " if card.value == card.value else ""
    return f"{value}{card.basis}"


def _archive(archive: Mapping[str, Any]) -> str:
    return (
        f"Gene-level coverage sums of {archive['organism']} were taken from an archive in the layout of recount3, "
        f"studies of at least {archive['min_runs']} runs."
    )


def _corpus(corpus: Mapping[str, Any]) -> str:
    text = "Counts became log2(TPM + 1). Each study as a whole has one role, so that none is learnt from and tested on"
    shares = [each["shares"] for each in corpus.get("splits", {}).values() if "shares" in each]
    roles = ", ".join(f"{100 * share:g}% {role}" for role, share in shares[0].items()) if shares else ""
    return f"{text} ({roles})." if roles else f"{text}."


def _pretrain(pretrain: Mapping[str, Any]) -> str:
    bases = [
        f"{name} ({each.get('architecture', 'mlp')}, {each.get('steps', 0):,} steps, seed {each.get('seed')})"
        for name, each in pretrain["bases"].items()
    ]
    return (
        f"{count(len(bases), 'network')} learnt to predict masked genes from the others: {listed(bases)}. On held-out "
        "studies it was compared with gene means and principal components, their number tuned on validation studies."
    )


def _guide(guide: Mapping[str, Any]) -> str:
    schemes = [f"{name} ({each.get('scouts', 0)} scouts)" for name, each in guide["schemes"].items()]
    return (
        f"Guides were made from scouts of {listed(schemes)}: the squared displacement of each weight, averaged over "
        "scouts and scaled to the range 0 to 1, multiplies that weight's update. This is a reconstruction from "
        "published descriptions."
    )


def _fewshot(fewshot: Mapping[str, Any]) -> str:
    scoring = fewshot["scoring"]
    return (
        f"{count(len(fewshot['methods']), 'method')} were compared on {listed(fewshot['tasks'])}, up to "
        f"{count(fewshot['episodes'], 'episode')} in each cell, by balanced accuracy; hyper-parameters were chosen on "
        f"validation studies. Intervals ({100 * scoring['confidence']:g}%) are jackknife intervals over studies; "
        "within a single study the resampled t interval is corrected for overlap. The smallest difference that matters "
        f"is {scoring['smallest_difference']:g}. P values of the planned comparisons are adjusted by Holm's method."
    )


def _own(study: Mapping[str, Any]) -> str:
    methods = count(len(study["methods"]), "method")
    beside = f" A packed model was used beside it by {methods}, tuned in the same way." if study["methods"] else ""
    return (
        f"The label {study['label']} was predicted fold by fold by the best of "
        f"{count(len(study['best_candidates']), 'classifier')}, genes, settings and classifier being chosen within the "
        f"training samples of a fold. All of it was done again for each of {study['permutations']} permutations of the "
        f"labels.{beside}"
    )


def _perturbation(perturbation: Mapping[str, Any]) -> str:
    predictors = count(len(perturbation["predictors"]), "predictor")
    return (
        f"{predictors} of unseen perturbations were trained on the pool of each split and judged on its held-out "
        "perturbations, by squared error relative to that of the mean effect."
    )


def _selection(selection: Mapping[str, Any]) -> str:
    names = [name for names in selector_jobs(selection["selectors"]).values() for name in names]
    return (
        f"{count(len(names), 'way', 'ways')} of choosing perturbations were compared with random choice by the area "
        "under the curve of squared error; the planned comparison is usage-weighted reach against random choice."
    )


def _prediction(_: Mapping[str, Any]) -> str:
    return (
        "Effects of unmeasured perturbations were predicted by the predictor that did best on folds of the measured "
        "ones; its error was estimated with that choice repeated inside each fold."
    )


def _design(design: Mapping[str, Any]) -> str:
    how = f"by the criterion {design['criterion']} within a budget of {design['budget']:g}"
    return f"Genes to perturb were chosen {how}."
