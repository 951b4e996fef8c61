# Predictors of unseen perturbations, trained on the whole pool of each split.


include: "inputs/perturbation.smk"


rule fit_predictors:
    input:
        unpack(prior_inputs),
        **SCREEN,
    output:
        values="<results>/perturbation/{screen}/{predictor}/{source}.parquet",
        errors="<results>/perturbation/{screen}/{predictor}/{source}.errors.tsv",
        interactions="<results>/perturbation/{screen}/{predictor}/{source}.interactions.tsv",
    log:
        "<results>/logs/fit_predictors/{screen}.{predictor}.{source}.log",
    benchmark:
        "<results>/benchmarks/fit_predictors/{screen}.{predictor}.{source}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=predictor_settings,
        drop_expressing=lookup(dpath="screens/{screen}/drop_cells_expressing_target", within=config),
        seed=config["seed"],
    message:
        "Predicting unseen perturbations of {wildcards.screen} by {wildcards.predictor}, from {wildcards.source}"
    script:
        "../workflow/scripts/fit_predictors.py"


rule score_predictions:
    input:
        **SCREEN,
        predictions=lookup(dpath="perturbation/screens/{screen}/predictions/{predictor}/path", within=config),
    output:
        values="<results>/perturbation/{screen}/{predictor}.given.parquet",
        errors="<results>/perturbation/{screen}/{predictor}.given.errors.tsv",
        interactions="<results>/perturbation/{screen}/{predictor}.given.interactions.tsv",
    log:
        "<results>/logs/score_predictions/{screen}.{predictor}.log",
    benchmark:
        "<results>/benchmarks/score_predictions/{screen}.{predictor}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        values=lookup(dpath="perturbation/screens/{screen}/predictions/{predictor}/values", within=config),
        seed=config["seed"],
    message:
        "Scoring the predictions {wildcards.predictor} for screen {wildcards.screen}"
    script:
        "../workflow/scripts/score_predictions.py"


rule calibrate_metrics:
    input:
        **SCREEN,
        graphs=lambda wildcards: [graph_file(graph) for graph in predicted_graphs(wildcards)],
    output:
        values="<results>/perturbation/{screen}/calibration.parquet",
        strata="<results>/perturbation/{screen}/strata.parquet",
    log:
        "<results>/logs/calibrate_metrics/{screen}.log",
    benchmark:
        "<results>/benchmarks/calibrate_metrics/{screen}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        graphs=predicted_graphs,
        seed=config["seed"],
    message:
        "Finding what each metric can tell on screen {wildcards.screen}"
    script:
        "../workflow/scripts/calibrate_metrics.py"


rule score_predictors:
    input:
        values=[f"{path}.parquet" for path in predictor_fits()],
        errors=[f"{path}.errors.tsv" for path in predictor_fits()],
        calibration=expand(
            "<results>/perturbation/{screen}/calibration.parquet",
            screen=config["perturbation"]["screens"],
        ),
        strata=expand(
            "<results>/perturbation/{screen}/strata.parquet",
            screen=config["perturbation"]["screens"],
        ),
        screens=expand(SCREEN["pseudobulk"], screen=config["perturbation"]["screens"]),
    output:
        scores="<results>/perturbation/scores.parquet",
        summary="<results>/perturbation/summary.tsv",
        capabilities="<results>/perturbation/capabilities.tsv",
        metrics="<results>/perturbation/metrics.tsv",
        strata="<results>/perturbation/strata.tsv",
    log:
        "<results>/logs/score_predictors/all.log",
    benchmark:
        "<results>/benchmarks/score_predictors/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        screens=list(config["perturbation"]["screens"]),
        confidence=config["perturbation"]["confidence"],
    message:
        "Scoring predictors"
    script:
        "../workflow/scripts/score_predictors.py"


rule score_interactions:
    input:
        predicted=[f"{path}.interactions.tsv" for path in predictor_fits(screens_with_doubles())],
        screens=expand(SCREEN["pseudobulk"], screen=screens_with_doubles()),
    output:
        interactions="<results>/perturbation/interactions.tsv",
    log:
        "<results>/logs/score_interactions/all.log",
    benchmark:
        "<results>/benchmarks/score_interactions/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        screens=screens_with_doubles(),
        seed=config["seed"],
    message:
        "Scoring genetic interactions"
    script:
        "../workflow/scripts/score_interactions.py"


rule transfer_screen:
    input:
        unpack(transfer_inputs),
    output:
        values="<results>/perturbation/transfer/{transfer}.parquet",
    log:
        "<results>/logs/transfer_screen/{transfer}.log",
    benchmark:
        "<results>/benchmarks/transfer_screen/{transfer}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=lookup(dpath="perturbation/transfer/{transfer}", within=config),
        gears=config["predictors"]["gears"],
        drop_expressing=drop_expressing,
        seed=config["seed"],
    message:
        "Guided transfer of a perturbation model: {wildcards.transfer}"
    script:
        "../workflow/scripts/transfer_screen.py"


rule score_transfer:
    input:
        values=expand(
            "<results>/perturbation/transfer/{transfer}.parquet",
            transfer=config["perturbation"]["transfer"],
        ),
    output:
        summary="<results>/perturbation/transfer.tsv",
    log:
        "<results>/logs/score_transfer/all.log",
    benchmark:
        "<results>/benchmarks/score_transfer/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        confidence=config["perturbation"]["confidence"],
    message:
        "Scoring guided transfer of perturbation models"
    script:
        "../workflow/scripts/score_transfer.py"
