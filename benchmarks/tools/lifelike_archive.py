"""An archive whose studies look like recount3's: tissues, sexes, authors' spellings, single cells, damaged files.

Names of files and of columns are the archive's. Expression has a programme for each tissue and sex, effects of studies,
and noise; what authors write differs from study to study, and some write nothing. A share of the studies, and most of
the largest, are of single cells; a few files are damaged. Genuine studies can be put among the generated ones.
"""

import gzip
import multiprocessing
import shutil
from dataclasses import dataclass

import numpy as np
from archive_mirror import LARGEST, QUALITY, SHARED_DATA, annotation_lines, compress, format_rows
from scarceseq.archive.layout import Study, annotation_path, study_path
from scarceseq.seeds import derive

REAL = SHARED_DATA / "bulk" / "recount3_real"
MIRRORS = {
    "mouse": REAL / "mouse_SRP081192_reconstructed_mirror" / "recount3",
    "human": REAL / "human_moseley_trimmed_mirror" / "recount3",
}
GENES = {"mouse": 55_421, "human": 63_856}
CODES = {"mouse": "M023", "human": "G026"}
# What authors write, by tissue; and tissues of the same studies, so that some have several.
SPELLINGS = {
    "brain": ("brain", "Brain", "whole brain", "Brain tissue"),
    "liver": ("liver", "Liver", "Liver tissue", "adult mouse liver"),
    "heart": ("heart", "Heart", "cardiac tissue", "whole heart"),
    "kidney": ("kidney", "Kidney", "left kidney", "kidneys"),
    "lung": ("lung", "Lung", "lungs", "lung tissue"),
    "spleen": ("spleen", "Spleen", "splenic tissue", "spleens"),
    "skin": ("skin", "Skin", "dorsal skin", "back skin"),
    "colon": ("colon", "Colon", "distal colon", "colon tissue"),
    "blood": ("blood", "Whole_Blood", "peripheral blood", "whole blood"),
    "mammary gland": ("mammary gland", "breast", "Breast", "mammary tissue"),
}
TISSUES = tuple(SPELLINGS)
OTHERS = ("T cells", "embryonic stem cells", "bone marrow-derived macrophages", "organoids, day 7")
KEYS = ("tissue", "source_name", "Tissue", "organ", "tissue type")
SEXES = {"female": ("female", "F", "Female"), "male": ("male", "M", "Male")}
STRAINS = ("C57BL/6", "C57BL/6J", "C57Bl6", "BALB/c", "Balb/C", "FVB/N", "129S6/SvEv x unknown")
# Genes of one sex, by name.
OF_ONE_SEX = {"female": ("XIST", "TSIX"), "male": ("DDX3Y", "UTY", "KDM5D", "EIF2S3Y", "EIF1AY")}
DAMAGED_SHARE = 0.012
GIANT = 300


@dataclass(frozen=True)
class World:
    """What all studies share: log levels by gene, and what tissue and sex add."""

    ids: list
    level: np.ndarray
    tissue: np.ndarray
    sex: np.ndarray


def annotation_text(organism):
    """Lines of the annotation: the genuine ones where they are at hand, filled up to the real number."""
    path = MIRRORS[organism] / annotation_path(organism, CODES[organism])
    genuine = gzip.decompress(path.read_bytes()).splitlines(keepends=True) if path.exists() else []
    genuine = [line for line in genuine if not line.startswith(b"#") and line.split(b"\t")[2] == b"gene"]
    missing = GENES[organism] - len(genuine)
    prefix = "ENSMUSG9" if organism == "mouse" else "ENSG9"
    return [*genuine, *annotation_lines([f"{prefix}{index:010d}.{index % 9 + 1}" for index in range(missing)])]


def world_of(lines):
    """`World` of an annotation."""
    fields = [line.decode().split("\t")[8] for line in lines]
    ids, names = ([text.split(f'{key} "')[1].split('"')[0] for text in fields] for key in ("gene_id", "gene_name"))
    generator = np.random.default_rng(7)
    level = np.where(generator.random(len(ids)) < 0.36, -9, generator.normal(8.2, 3.0, len(ids)))
    tissue = np.zeros((len(ids), len(TISSUES) + 1))
    for column in range(len(TISSUES)):
        chosen = generator.permutation(len(ids))[:1500]
        tissue[chosen, column] = generator.normal(0, 1.5, len(chosen))
    sex = np.zeros((len(ids), 2))
    for column, kind in enumerate(SEXES):
        mine = [index for index, name in enumerate(names) if name.upper() in OF_ONE_SEX[kind]] or [column, column + 2]
        level[mine] = 5
        sex[mine, column] = 5
        sex[mine, 1 - column] = -5
    return World(ids, level.astype(np.float32), tissue.astype(np.float32), sex.astype(np.float32))


@dataclass(frozen=True)
class Samples:
    """What the runs of a study are, and what their author writes of them."""

    tissue: np.ndarray
    sex: np.ndarray
    single_cells: bool
    labelled: bool
    attributes: list


def samples_of(project, runs, generator):
    """`Samples` of a study."""
    kind = generator.random()
    single_cells = kind < (0.7 if len(runs) > GIANT else 0.12)
    tissues = generator.choice(len(TISSUES), 1 + (generator.random() < 0.35) * generator.integers(1, 4), replace=False)
    other = not single_cells and kind > 0.85
    tissue = np.full(len(runs), len(TISSUES)) if other else generator.choice(tissues, len(runs))
    sex = generator.integers(0, 2, len(runs)) if generator.random() < 0.5 else np.full(len(runs), kind < 0.5, int)
    key, style, says_sex = KEYS[generator.integers(len(KEYS))], generator.integers(3), generator.random() < 0.6
    strain, word = STRAINS[generator.integers(len(STRAINS))], OTHERS[generator.integers(len(OTHERS))]
    attributes = []
    for place, (t, s) in enumerate(zip(tissue, sex, strict=True)):
        written = word if other else SPELLINGS[TISSUES[t]][(style + (place % 7 == 6)) % 4]
        parts = [f"{key};;{written}", f"age;;{generator.integers(6, 30)} weeks", f"strain;;{strain}"]
        parts += [f"{'sex' if style else 'gender'};;{SEXES[('female', 'male')[s]][style]}"] if says_sex else []
        attributes.append("|".join(parts) if generator.random() < 0.97 else "NA")
    return Samples(tissue, sex, single_cells, generator.random() < 0.8, attributes)


def write_archive(folder, organism, studies, processes=1):
    """Write the annotation and every study; returns the projects that are damaged.

    Parameters
    ----------
    folder : path
        Base of the mirror.
    organism : str
    studies : dict of {str: list of str}
        Runs by project; those that are there already are left as they are.
    processes : int
    """
    lines = annotation_text(organism)
    compress(folder / annotation_path(organism, CODES[organism]), lines)
    many = [project for project, runs in studies.items() if len(runs) >= 10]
    number = max(1, int(DAMAGED_SHARE * len(many)))
    damaged = sorted(many, key=lambda project: derive(3, "damaged", project))[:number]
    tasks = [(folder, organism, name, runs, name in damaged) for name, runs in studies.items()]
    # The largest first, so that none is left for the end.
    tasks.sort(key=lambda task: -len(task[3]))
    with multiprocessing.get_context("spawn").Pool(processes, _start, (lines,)) as pool:
        pool.starmap(write_study, tasks, chunksize=1)
    return damaged


def _start(lines):
    global WORLD  # one for all studies of a process
    WORLD = world_of(lines)


def write_study(folder, organism, project, runs, damaged):
    """Write the files of one study, the gene sums last; nothing if they are there."""
    study, code = Study(organism, "sra", project), CODES[organism]
    sums = folder / study_path(study, "gene_sums", code)
    if sums.exists():
        return
    generator = np.random.default_rng(derive(7, organism, project))
    samples = samples_of(project, runs, generator)
    for kind in ("source", "recount_qc", "recount_pred", "recount_seq_qc"):
        compress(folder / study_path(study, kind, code), table_lines(kind, study, runs, samples))
    order = generator.permutation(len(runs))
    header = "\t".join(["gene_id", *(runs[place] for place in order)])
    head = f"##annotation={code}\n##date.generated=2020-05-12 01:01:49.411644\n{header}\n".encode()
    unfinished = sums.with_suffix(".new")
    compress(unfinished, [head], sums_text(samples, order, generator))
    if damaged:  # a file that broke off, as a server may hold it
        unfinished.write_bytes(unfinished.read_bytes()[: unfinished.stat().st_size // 2])
    unfinished.replace(sums)


def sums_text(samples, order, generator):
    """Rows of gene sums as bytes, a few megabytes at a time."""
    runs, world = len(order), WORLD
    names = np.array(world.ids, dtype=bytes).view(np.uint8).reshape(len(world.ids), -1)
    tissue, sex = samples.tissue[order], samples.sex[order]
    depth = generator.normal(-7 if samples.single_cells else 0, 0.4, runs).astype(np.float32)
    # A few gradients that run through a study, such as quality and composition.
    scores = generator.normal(0, 1, (3, runs)).astype(np.float32)
    step = max(1, 2_000_000 // runs)
    for first in range(0, len(world.ids), step):
        rows = slice(first, first + step)
        values = generator.standard_normal((len(world.level[rows]), runs), dtype=np.float32)
        values *= np.float32(0.6)
        values += world.tissue[rows][:, tissue]
        values += world.sex[rows][:, sex]
        values += (world.level[rows] + generator.normal(0, 0.5, len(values)).astype(np.float32))[:, None]
        values += generator.normal(0, 0.2, (len(values), 3)).astype(np.float32) @ scores + depth
        np.minimum(np.exp(values, out=values), LARGEST, out=values)
        text = np.empty(values.size * 12 + len(values) * (names.shape[1] + 8), dtype=np.uint8)
        yield text[: format_rows(names[rows], values, text)].tobytes()


def table_lines(kind, study, runs, samples):
    """Lines of a metadata table under the archive's own names of columns."""
    names = header(kind, study.organism)
    yield ("\t".join(names) + "\n").encode()
    guess = "scrna-seq" if samples.single_cells else "rna-seq"
    for place, run in enumerate(runs):
        cells = {"rail_id": str(place), "external_id": run, "study": study.project}
        if kind == "source":
            cells |= {"experiment_acc": run.replace("RR", "RX"), "sample_attributes": samples.attributes[place]}
            cells |= {"study_title": f"RNA-seq of study {study.project}", "library_selection": "cDNA"}
        elif kind == "recount_qc":
            cells |= QUALITY
        elif kind == "recount_pred" and samples.labelled:
            cells |= {"pattern.predict.type": guess, "pred.type": guess}
        yield ("\t".join(cells.get(name, "NA") for name in names) + "\n").encode()


def header(kind, organism):
    """Names of a table's columns: the genuine ones where a genuine file is at hand."""
    word = "sra.sra" if kind == "source" else f"sra.{kind}"
    genuine = next(iter(sorted(MIRRORS[organism].rglob(f"{word}.*P*.MD.gz"))), None)
    if genuine:
        with gzip.open(genuine, "rt") as handle:
            return handle.readline().rstrip("\n").split("\t")
    names = {"source": ["experiment_acc", "study_title", "library_selection", "sample_attributes"]}
    names |= {"recount_qc": list(QUALITY), "recount_pred": ["pattern.predict.type", "pred.type"]}
    return ["rail_id", "external_id", "study", *names.get(kind, ["avg_len"])]


def add_genuine(folder, organism):
    """Put the genuine studies into a mirror, with zeros for genes that were trimmed away; {project: runs}."""
    found = {}
    for sums in sorted((MIRRORS[organism] / organism).glob("data_sources/sra/gene_sums/*/*/*.gz")):
        study = Study(organism, "sra", sums.parent.name)
        lines = gzip.decompress(sums.read_bytes()).decode().splitlines()
        found[study.project] = lines[2].split("\t")[1:]
        rows = dict(line.split("\t", 1) for line in lines[3:])
        ids = [text.decode().split('gene_id "')[1].split('"')[0] for text in annotation_text(organism)]
        zeros = "\t".join(["0"] * len(found[study.project]))
        text = "\n".join([*lines[:3], *(f"{gene}\t{rows.get(gene, zeros)}" for gene in ids)]) + "\n"
        compress(folder / study_path(study, "gene_sums", CODES[organism]), [text.encode()])
        for kind in ("source", "recount_qc", "recount_pred", "recount_seq_qc"):
            target = folder / study_path(study, kind, CODES[organism])
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(MIRRORS[organism] / study_path(study, kind, CODES[organism]), target)
    return found


def genuine_projects(organism):
    """Projects of `add_genuine`."""
    return [path.parent.name for path in (MIRRORS[organism] / organism).glob("data_sources/sra/gene_sums/*/*/*.gz")]
