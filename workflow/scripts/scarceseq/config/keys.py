"""The whole config: what stands at its top, and a section for each stage."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from scarceseq.archive.settings import ArchiveSection, UserStudyEntry
from scarceseq.corpus.settings import CorpusSection
from scarceseq.demo.settings import DemoSettings
from scarceseq.design.settings import DesignSettings
from scarceseq.fewshot.settings import FewshotSection
from scarceseq.guide.settings import GuideSection
from scarceseq.keys import ABSENT, LONGEST_NAME, Limits, Named, Whole
from scarceseq.network.settings import NetworkSection
from scarceseq.own_study.settings import OwnStudySection
from scarceseq.perturbation.settings import PerturbationSection, PredictorsSection
from scarceseq.prediction.settings import PredictionSection
from scarceseq.pretrain.settings import PretrainSection
from scarceseq.report.settings import ReportSettings
from scarceseq.screen.settings import ScreenEntry
from scarceseq.selection.settings import SelectionSection


@dataclass(frozen=True)
class Config:
    """One file per run. A stage runs when its section is present."""

    name: Annotated[str, Limits(pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=LONGEST_NAME)]
    """Name of the run; everything is written to `results/<name>/`."""
    seed: Whole = 1
    """Every random draw of the run derives from this seed."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where torch computes; `auto` takes a CUDA device if there is one."""
    data: str | None = None
    """Folder that `{data}` stands for in paths; handy on the command line (`--config data=PATH`)."""
    demo: DemoSettings = ABSENT
    archive: ArchiveSection = ABSENT
    user_studies: list[UserStudyEntry] = ABSENT
    """A user's own studies, each a table of counts and, if there is one, a table of labels."""
    corpus: CorpusSection = ABSENT
    pretrain: PretrainSection = ABSENT
    guide: GuideSection = ABSENT
    fewshot: FewshotSection = ABSENT
    own_study: OwnStudySection = ABSENT
    network: NetworkSection = ABSENT
    screens: Named[ScreenEntry] = ABSENT
    """Perturbation screens, one per name; results go to `screen/<name>/`."""
    predictors: PredictorsSection = field(default_factory=PredictorsSection)
    perturbation: PerturbationSection = ABSENT
    selection: SelectionSection = ABSENT
    prediction: PredictionSection = ABSENT
    design: DesignSettings = ABSENT
    report: ReportSettings = field(default_factory=ReportSettings)
