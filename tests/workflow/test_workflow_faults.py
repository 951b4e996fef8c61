"""The rule that fetches, against a server that fails in every known way. Oracle: the archive's own numbers."""

import gzip
import hashlib
import json
import time

import anndata
import faulty_mirror as faulty
import numpy as np
import yaml
from helpers import copy_repository, snakemake

HTML = b"<!DOCTYPE html><html><body>Please log in</body></html>"
OTHER = "elsewhere/login.html"


def half(true):
    return true[: len(true) // 2]


def flipped_tail(true):
    return true[:-6] + bytes(byte ^ 0xFF for byte in true[-6:])


def other_annotation(true):
    return gzip.compress(gzip.decompress(true).replace(b"annotation=M023", b"annotation=G026"))


# What the server does with a study's gene sums: fault, status in the manifest, words in its detail.
FAULTS = {
    "status_404": (faulty.status(404), "absent", "status 404"),
    "status_403": (faulty.status(403), "failed", "status 403"),
    "busy_for_ever": (faulty.status(503, Retry_After="0"), "failed", "status 503"),
    "redirect_to_html": (faulty.redirect(OTHER), "damaged", "not a whole gzip file"),
    "stall": (faulty.drip(4), "damaged", "broke off"),
    "reset": (faulty.reset, "damaged", "broke off"),
    "short_and_honest": (faulty.body(half), "damaged", "not a whole gzip file"),
    "short_and_lying": (faulty.body(half, announced=len), "damaged", "broke off"),
    "long_and_lying": (faulty.body(lambda true: true, announced=lambda true: len(true) - 9), "damaged", "gzip"),
    "corrupt_tail": (faulty.body(flipped_tail), "damaged", "not a whole gzip file"),
    "html": (faulty.body(lambda true: HTML), "damaged", "not a whole gzip file"),
    "other_annotation": (faulty.body(other_annotation), "damaged", "annotation G026, not M023"),
}
# What passes within one run, or is no fault at all.
PASSING = {
    "busy_once": (faulty.once(faulty.status(503, Retry_After="1")), ""),
    "reset_once": (faulty.once(faulty.reset), ""),
    "redirect": (faulty.redirect("moved/study.gz"), ""),
    "slow_drip": (faulty.drip(0.3), ""),
}
HARMLESS = {
    "permuted": "",
    "missing_run": "1 missing runs",
    "extra_run": "1 extra runs",
    "header_only": "",
    "beyond_32_bits": "",
    "healthy": "",
}
STUDIES = {f"SRP0001{index:02d}": name for index, name in enumerate([*FAULTS, *PASSING, *HARMLESS])}
PROJECT = {name: project for project, name in STUDIES.items()}


def make_archive(folder):
    """The archive with its oddities, and the runs of which there are counts."""
    archive = faulty.Archive(folder, STUDIES)
    archive.sums[PROJECT["beyond_32_bits"]]["SRR" + f"{len(STUDIES) - 2:03d}0"][:2] = [2**31, 2**53 + 1]
    archive.write(PROJECT["beyond_32_bits"])
    archive.write(PROJECT["permuted"], list(archive.sums[PROJECT["permuted"]])[::-1])
    archive.write(PROJECT["missing_run"], list(archive.sums[PROJECT["missing_run"]])[1:])
    archive.write(PROJECT["extra_run"], ["SRR999", *archive.sums[PROJECT["extra_run"]]])
    header = [(*faulty.KEY, "pred.type")]
    archive.put(archive.path(PROJECT["header_only"], "recount_pred"), faulty.packed(header))
    archive.put(OTHER, HTML)
    archive.put("moved/study.gz", archive.raw(PROJECT["redirect"]))
    del archive.sums[PROJECT["missing_run"]][next(iter(archive.sums[PROJECT["missing_run"]]))]
    return archive


class Run:
    """The workflow in a copy of the repository, fetching one batch from a server."""

    def __init__(self, folder, address):
        self.folder, self.results = folder, folder / "results/faults"
        self.batch = self.results / "archive/batches/batch_0"
        config = {
            "name": "faults",
            "archive": {
                "mirrors": [address],
                "organism": "mouse",
                "annotation": "M023",
                "min_runs": 1,
                "download": {"connections": 8, "retries": 1, "backoff_seconds": 0.01, "timeout_seconds": 2},
            },
            "corpus": {"splits": {"default": {"shares": {"pretrain": 1}}}},
        }
        (folder / "faults.yaml").write_text(yaml.safe_dump(config))

    def make(self, target):
        return snakemake(self.folder, f"results/faults/{target}", "--cores", "2", "--configfile", "faults.yaml")

    def fetch(self):
        """Run the rule `fetch_batch` anew; {study: {kind: line of the manifest}}."""
        manifest = self.batch / "manifest.jsonl"
        manifest.unlink(missing_ok=True)
        self.make("archive/batches/batch_0/manifest.jsonl")
        found = {}
        for line in manifest.read_text().splitlines():
            entry = json.loads(line)
            found.setdefault(entry["project"], {})[entry["kind"]] = entry
        return found

    def files(self):
        """{path below the batch folder: bytes} of everything that has the name of a file of the archive."""
        paths = [path for path in (self.batch / "mouse").rglob("*") if path.is_file()]
        return {path.relative_to(self.batch).as_posix(): path.read_bytes() for path in paths}


def check_manifest(run, manifest, archive, spoilt=()):
    """Every accepted file is the true one and known by its hash; of the others nothing is there but what was spoilt."""
    accepted = {e["path"]: e for kinds in manifest.values() for e in kinds.values() if e["status"] == "ok"}
    files = run.files()
    assert set(files) == set(accepted) | set(spoilt)
    for path in accepted:
        content = files[path]
        assert content == (archive.folder / path).read_bytes(), path
        assert accepted[path]["sha256"] == hashlib.sha256(content).hexdigest()
        assert accepted[path]["url"].endswith(path)


def test_no_sequence_of_faults_gets_a_damaged_file_accepted_or_a_good_one_lost(tmp_path):
    archive = make_archive(tmp_path / "mirror")
    repository = copy_repository(tmp_path / "scarceseq")
    with faulty.serving(archive.folder) as server:
        run = Run(repository, server.address)
        run.make("archive/plan/batch_0.tsv")

        # 1: every fault at once, one per study
        server.faults = {archive.path(PROJECT[name]): fault[0] for name, fault in (FAULTS | PASSING).items()}
        begin = time.monotonic()
        first = run.fetch()
        assert time.monotonic() - begin > 1  # Retry-After
        for name, (_, status, words) in FAULTS.items():
            entry = first[PROJECT[name]]["gene_sums"]
            assert (entry["status"], words in entry["detail"]) == (status, True), (name, entry)
            assert entry["url"] is entry["sha256"] is None
        for name, words in [(name, "") for name in PASSING] + list(HARMLESS.items()):
            entry = first[PROJECT[name]]["gene_sums"]
            assert (entry["status"], words in entry["detail"]) == ("ok", True), (name, entry)
        assert first[PROJECT["header_only"]]["recount_pred"]["rows"] == 0
        check_manifest(run, first, archive)

        # 2: another fault for each study, good files included, and one good file damaged on the disk
        victim = run.batch / archive.path(PROJECT["healthy"])
        victim.write_bytes(victim.read_bytes()[:-3])
        names, faults = list(STUDIES.values()), [fault for fault, _, _ in FAULTS.values()]
        server.faults = {archive.path(PROJECT[name]): faults[(i + 5) % len(faults)] for i, name in enumerate(names)}
        server.requests.clear()
        second = run.fetch()
        good = {e["path"] for kinds in first.values() for e in kinds.values() if e["status"] == "ok"}
        victim_path = archive.path(PROJECT["healthy"])
        assert not (good - {victim_path}) & set(server.requests)
        assert second[PROJECT["healthy"]]["gene_sums"]["status"] in ("damaged", "failed", "absent")
        check_manifest(run, second, archive, [victim_path])

        # 3: all is well; only what was not good is fetched
        server.faults = {}
        server.requests.clear()
        third = run.fetch()
        wanted = {archive.path(PROJECT[name]) for name in FAULTS} | {victim_path}
        assert sorted(server.requests) == sorted(wanted)
        assert {e["status"] for kinds in third.values() for e in kinds.values()} == {"ok"}
        check_manifest(run, third, archive)

        # 4: the numbers are right, whatever the order of the columns
        run.make("corpus/shards/batch_0.h5ad")
        assert sorted(server.requests) == sorted(wanted)
    shard = anndata.read_h5ad(run.results / "corpus/shards/batch_0.h5ad")
    expected = {run: sums for runs in archive.sums.values() for run, sums in runs.items()}
    assert sorted(shard.obs["runs"].astype(str)) == sorted(expected)
    assert shard.var_names.tolist() == faulty.GENES
    for row, name in zip(np.asarray(shard.X), shard.obs["runs"].astype(str), strict=True):
        assert np.array_equal(row, expected[name]), name
    dropped = (run.results / "corpus/shards/batch_0.dropped.tsv").read_text()
    assert "SRR999\tnot_in_archive_table" in dropped
    assert dropped.count("no_counts") == 1
