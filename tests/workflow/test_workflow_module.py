"""Another workflow takes this one in as a module, its rules under a prefix of its own."""

from helpers import planned, snakemake

OTHER = """
configfile: "tiny.yaml"

module scarceseq:
    snakefile: "scarceseq/Snakefile"
    config: config

use rule * from scarceseq as scarceseq_*

rule count_studies:
    default_target: True
    input: "results/tiny/archive/studies.tsv"
    output: "lines.txt"
    shell: "wc -l < {input} > {output}"
"""


def test_a_workflow_that_takes_it_in_runs_it_and_notices_a_change_of_its_code(finished_run, repository_copy, tmp_path):
    (tmp_path / "Snakefile").write_text(OTHER)
    (tmp_path / "tiny.yaml").write_text((repository_copy / "tests/config/tiny.yaml").read_text())
    profile = ("--workflow-profile", "scarceseq/profiles/default", "--cores", "2")
    expected = {"scarceseq_generate_demo": 1, "scarceseq_list_studies": 1, "count_studies": 1}
    assert planned(tmp_path, *profile) == expected
    snakemake(tmp_path, *profile)
    studies = (tmp_path / "results/tiny/archive/studies.tsv").read_text()
    assert studies == (finished_run / "results/tiny/archive/studies.tsv").read_text()
    assert (tmp_path / "lines.txt").read_text().strip() == str(studies.count("\n"))
    assert planned(tmp_path, *profile) == {}

    script = repository_copy / "workflow/scripts/list_studies.py"
    script.write_text(script.read_text() + "\nassert True\n")
    assert planned(tmp_path, *profile) == {rule: 1 for rule in expected if rule != "scarceseq_generate_demo"}
