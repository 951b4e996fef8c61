"""Writes the table of docs/planning.md from `results/dress_rehearsal.json`: `planning_table.py [RESULT] [PAGE]`."""

import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
RESULT = REPOSITORY / "benchmarks/results/dress_rehearsal.json"
PAGE = REPOSITORY / "docs/planning.md"
BEGIN = "<!-- dress rehearsal: written by benchmarks/tools/planning_table.py -->"
END = "<!-- dress rehearsal: end -->"


def table(result):
    """Lines of the section: what was run, what each rule took, what it would take at all of mouse."""
    detail = result["detail"]
    small, large = detail["sizes"]["small"], detail["sizes"]["large"]
    whole, rules = detail["all_of_mouse"], detail["all_of_mouse"]["rules"]
    lines = [
        f"Rehearsed on {result['date'][:10]} at commit {result['commit']} ({result['machine']}): {small['runs']:,} and "
        f"{large['runs']:,} runs listed, {small['samples']:,} and {large['samples']:,} samples kept, to the report in "
        f"{small['seconds'] / 60:.0f} and {large['seconds'] / 60:.0f} minutes; {large['megabytes'] / 1e3:.1f} GB for "
        f"all processes of the larger. Counts equal to the mirror's and the ledger of runs whole: "
        f"{'yes' if result['equal'] else 'NO'}.",
        "",
        "| rule | jobs | processor, s | largest job, s | resident, GB | held, GB | written, MB | growth with samples "
        "| all of mouse: hours of one core | held, GB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for rule, row in large["rules"].items():
        full = {"growth": 0, "hours": 0, "gb": 0} | rules.get(rule, {})
        measured = f"{row['jobs']:.0f} | {row['cpu_s']:,.0f} | {row['longest_s']:,.0f} | {row['peak_mb'] / 1e3:.2f}"
        held = f"{row.get('held_mb', row['peak_mb']) / 1e3:.2f}"
        expected = f"{full['growth']:.2f} | {full['hours']:.2f} | {full['gb']:.1f}"
        lines.append(f"| `{rule}` | {measured} | {held} | {row['written_mb']:,.0f} | {expected} |")
    lines += [
        "",
        f"All of mouse: {whole['cpu_hours']:.1f} hours of one core, {whole['disk_gb']:.0f} GB of disk. Largest peak "
        f"{detail['worst_gb']:.1f} GB; largest growth of a rule above a minute {detail['worst_growth']:.2f} (1 is "
        "linear; of the time for each step, scout or episode where the config scales their number).",
    ]
    return lines


def replaced(page, lines):
    """The page with other lines between its marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{rest.split(END)[1]}"


def main(result=RESULT, page=PAGE):
    page = Path(page)
    page.write_text(replaced(page.read_text(), table(json.loads(Path(result).read_text()))))


if __name__ == "__main__":
    main(*sys.argv[1:])
