# Demo: a small generated world in the formats of the real sources, for the embedded default.


rule generate_demo:
    output:
        archive=directory("<results>/demo/archive"),
        screen="<results>/demo/screen.h5ad",
        annotation="<results>/demo/annotation.tsv.gz",
        truth=directory("<results>/demo/truth"),
    log:
        "<results>/logs/generate_demo/all.log",
    benchmark:
        "<results>/benchmarks/generate_demo/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=config["demo"],
        seed=config["seed"],
        annotation=config["archive"]["annotation"],
    message:
        "Generating the small world: archive, screen and annotation"
    script:
        "../workflow/scripts/generate_demo.py"
