"""The table of docs/planning.md says what its result says. Oracles: numbers put in by hand; a line by two points."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[3]


def load(path):
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(path.parent))
    return module


planning = load(ROOT / "benchmarks/tools/planning_table.py")
rehearsal = load(ROOT / "benchmarks/dress_rehearsal.py")
whole_run = rehearsal.whole_run


def size_of(samples, seconds, megabytes, batch_megabytes):
    """One size: pre-training of a tenth of the steps, and batches of as many runs as samples in all."""
    rows = {
        "pretrain": {"jobs": 1, "cpu_s": 5 + seconds, "peak_mb": megabytes},
        "fetch_batch": {"jobs": 2, "cpu_s": 10 + samples / 100, "peak_mb": batch_megabytes},
        "all_small": {"jobs": 4, "cpu_s": 20, "peak_mb": 100},
        "compare_embeddings": {"jobs": 1, "cpu_s": 50, "peak_mb": megabytes},
    }
    rows = {
        rule: row | {"wall_s": row["cpu_s"], "longest_s": 1, "written_mb": 7, "held_mb": row["peak_mb"] / 2}
        for rule, row in rows.items()
    }
    facts = {"samples": samples, "planned_runs": samples, "runs": samples, "largest_batch": samples / 10}
    facts |= {"compared": samples / 20}
    facts |= {"numbers": {"steps": 300}, "whole": {"steps": 3000}, "disk_gb": samples / 1e4, "fetched_gb": 1}
    return facts | {"rules": rows, "seconds": 60, "megabytes": 900, "damaged": [], "equal": True}


@pytest.fixture
def sizes():
    return size_of(10_000, 100, 1000, 300), size_of(40_000, 400, 1600, 330)


def test_linear_work_is_extrapolated_linearly_and_by_its_number(sizes):
    table = rehearsal.extrapolate(*sizes)
    # Four times the samples, four times the seconds; ten times the steps at full size.
    assert table.loc["pretrain", "growth"] == pytest.approx(1, abs=1e-3)
    assert table.loc["pretrain", "hours"] == pytest.approx(400 / 300 * 3000 * 190_111 / 40_000 / 3600, rel=1e-3)
    assert table.loc["pretrain", "gb"] == pytest.approx(0.8 + 0.3 / 30_000 * 150_111, rel=1e-3)
    # 500 and 2,000 labelled samples were compared, and no more than 4,000 will be.
    assert table.loc["compare_embeddings", "gb"] == pytest.approx(0.8 + 0.3 / 1500 * 2000, rel=1e-3)
    # A batch of 2,100 runs takes no more than the larger of those measured.
    assert table.loc["fetch_batch", "gb"] == pytest.approx(0.165 + 0.015 / 3000 * (2100 - 4000), rel=1e-2)


def test_memory_that_grows_no_more_is_told_by_a_size_between(sizes):
    between = {"samples": 20_000, "compared": 1000, "held_mb": {"pretrain": 790.0}}
    table, plain = rehearsal.extrapolate(*sizes, between), rehearsal.extrapolate(*sizes)
    assert table.loc["pretrain", "gb"] == pytest.approx(0.8 + 0.01 / 20_000 * 150_111, rel=1e-3)
    assert table["growth"].equals(plain["growth"])
    assert table.drop("pretrain")["gb"].equals(plain.drop("pretrain")["gb"])


def test_work_that_grows_faster_is_extrapolated_by_its_power(sizes):
    small, large = sizes
    large["rules"]["pretrain"]["cpu_s"] = 5 + 100 * 4**1.5
    table = rehearsal.extrapolate(small, large)
    assert table.loc["pretrain", "growth"] == pytest.approx(1.5, abs=1e-3)
    detail = rehearsal.report(small, large, table)
    assert detail["worst_growth"] == pytest.approx(1.5, abs=1e-3)
    assert detail["worst_gb"] == pytest.approx(table["gb"].max())


def test_the_page_gets_the_numbers_between_its_marks_and_nothing_else(sizes, tmp_path, capsys):
    detail = rehearsal.report(*sizes, rehearsal.extrapolate(*sizes))
    facts = {"date": "2026-12-01T00:00:00", "commit": "abc", "machine": "a machine", "equal": True}
    (tmp_path / "result.json").write_text(json.dumps({"detail": detail} | facts))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{planning.BEGIN}\nold\n{planning.END}\nafter\n")
    planning.main(tmp_path / "result.json", page)
    text = page.read_text()
    assert text.startswith(f"before\n{planning.BEGIN}\n")
    assert text.endswith(f"{planning.END}\nafter\n")
    assert "old" not in text
    assert "| `pretrain` | 1 | 405 | 1 | 1.60 | 0.80 | 7 | 1.00 | 5.28 | 2.3 |" in text
    planning.main(tmp_path / "result.json", page)
    assert page.read_text() == text


def test_the_page_is_that_of_the_kept_result():
    if not planning.RESULT.exists():
        pytest.skip("no dress rehearsal is kept")
    page = planning.PAGE.read_text()
    assert planning.replaced(page, planning.table(json.loads(planning.RESULT.read_text()))) == page


JOB = """
import mmap, os, sys, time
held = bytearray(os.urandom(60_000_000))
with open(sys.argv[1], "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    sum(mapped[::4096])
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_memory_of_a_job_is_told_by_its_rule_and_without_pages_of_files(tmp_path):
    scripts, file = tmp_path / ".snakemake" / "scripts", tmp_path / "matrix"
    scripts.mkdir(parents=True)
    (scripts / "tmp1a_b2.embed.py").write_text(JOB)
    file.write_bytes(bytes(200_000_000))
    starts = "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]])"
    command = [sys.executable, "-c", starts, scripts / "tmp1a_b2.embed.py", file]
    with psutil.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        held, resident = whole_run.anonymous(process), whole_run.resident(process) / 1e6
        process.stdin.close()
    assert set(held) == {"embed"}
    assert 60 < held["embed"] < 120
    assert resident > held["embed"] + 150
    assert whole_run.larger({"embed": 1, "pretrain": 5}, {"embed": 3}) == {"embed": 3, "pretrain": 5}
    assert whole_run.anonymous(process) == {}


def test_sizes_of_studies_add_up_to_what_is_asked_for():
    for wanted in (700, 4000):
        total = sum(map(len, rehearsal.studies_of(wanted).values()))
        assert 0.8 * wanted < total <= wanted
