# Profiles of perturbations that a screen did not measure.


include: "inputs/prediction.smk"


rule predict_screen:
    input:
        unpack(prediction_inputs),
        pseudobulk=SCREEN["pseudobulk"],
    output:
        profiles="<results>/prediction/{screen}/profiles.h5ad",
        changed="<results>/prediction/{screen}/changed_genes.tsv",
        choice="<results>/prediction/{screen}/choice.tsv",
        accuracy="<results>/prediction/{screen}/accuracy.tsv",
        summary="<results>/prediction/{screen}/summary.json",
        neighbours="<results>/prediction/{screen}/neighbours.tsv",
        pages=directory("<results>/prediction/{screen}/pages"),
    log:
        "<results>/logs/predict_screen/{screen}.log",
    benchmark:
        "<results>/benchmarks/predict_screen/{screen}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=lookup(dpath="prediction/screens/{screen}", within=config),
        seed=config["seed"],
        name=config["name"],
    message:
        "Predicting perturbations that screen {wildcards.screen} did not measure"
    script:
        "../workflow/scripts/predict_screen.py"
