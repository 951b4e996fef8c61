# One page a person wants to read, and its figures and tables as files.


include: "inputs/report.smk"


rule render_report:
    input:
        unpack(report_inputs),
    output:
        page="<results>/report.html",
        figures=report(
            directory("<results>/figures"),
            patterns=["{figure}.svg"],
            caption="../workflow/report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        tables=directory("<results>/tables"),
        methods="<results>/methods.md",
        references="<results>/references.bib",
        front="<results>/Snakefile",
        crate="<results>/ro-crate-metadata.json",
    log:
        "<results>/logs/render_report/all.log",
    benchmark:
        "<results>/benchmarks/render_report/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=config,
        labels=report_labels(),
    message:
        "Rendering the report"
    script:
        "../workflow/scripts/render_report.py"
