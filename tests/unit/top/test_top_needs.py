"""What jobs ask for: the table against arithmetic by hand, and against the rules that there are."""

import re
from pathlib import Path

import pandas as pd
import pytest
from scarceseq.config import needs

REPOSITORY = Path(__file__).parents[3]
TABLE = REPOSITORY / "rules/needs.tsv"


def test_memory_and_minutes_are_a_constant_and_so_much_a_unit(tmp_path):
    columns = [f"{kind}{per}" for kind in ("mb", "minutes") for per in ("", *(f"_per_{unit}" for unit in needs.PER))]
    path = tmp_path / "needs.tsv"
    path.write_text("# said\n" + "\t".join(["rule", *columns]) + "\na\t100\t2\t10\t\t5\t\t\t0.25\n")
    asked = needs.read_needs(path)["a"]
    size = {"1000_samples": 3.0, "1000_genes": 22.05, "scout": 50}
    assert asked.mem_mb(size, 1) == 327  # 100 + 6 + 220.5, upward
    assert asked.mem_mb(size, 3) == 3 * 327
    assert asked.runtime(size, 1) == 18  # 5 + 12.5, upward


def test_a_job_is_as_large_as_its_tables(tmp_path):
    samples, genes, plan, listed = (tmp_path / name for name in ("s.parquet", "g.parquet", "p.tsv", "l.tsv"))
    pd.DataFrame({"sample": range(1500)}).to_parquet(samples)
    pd.DataFrame({"gene_id": range(400)}).to_parquet(genes)
    pd.DataFrame({"run": range(20)}).to_csv(plan, sep="\t", index=False)
    pd.DataFrame({"runs": [7, 9, 11], "skip_reason": [None, "few runs", None]}).to_csv(listed, sep="\t", index=False)
    paths = {"samples": str(samples), "genes": str(genes), "plan": str(plan), "listed": [str(plan)]}
    assert needs.sizes(paths, 5) == {"1000_samples": 1.5, "1000_genes": 0.4, "scout": 5}
    assert needs.sizes({"plan": str(plan)})["1000_samples"] == 0.02
    assert needs.sizes({"listed": str(listed)})["1000_samples"] == 0.018
    with pytest.raises(FileNotFoundError):
        needs.sizes({"samples": str(tmp_path / "none.parquet")})


def test_the_table_has_each_rule_with_a_script_once():
    rules = [
        name
        for path in (REPOSITORY / "rules").glob("*.smk")
        for name in re.findall(r"^rule (\w+):", path.read_text(), re.MULTILINE)
    ]
    lines = [line.split("\t")[0] for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    assert sorted(lines) == sorted(["rule", *rules])
    assert all(asked.mem_mb({}, 1) >= 500 and asked.runtime({}, 1) >= 10 for asked in needs.read_needs(TABLE).values())
