# Selection: rank perturbations, in one shot or in rounds, train on what is chosen, judge on held-out perturbations.


include: "inputs/selection.smk"


# No name holds a slash, so that each wildcard is one folder or file name.
wildcard_constraints:
    screen="[^/]+",
    graph="[^/]+",
    selector="[^/]+",


rule rank_perturbations:
    input:
        splits=SCREEN["splits"],
        graph=selection_graph,
        priors=prior_graphs,
    output:
        rankings="<results>/selection/{screen}/{graph}/rankings/{selector}.parquet",
        costs="<results>/selection/{screen}/{graph}/rankings/{selector}.costs.tsv",
    log:
        "<results>/logs/rank_perturbations/{screen}.{graph}.{selector}.log",
    benchmark:
        "<results>/benchmarks/rank_perturbations/{screen}.{graph}.{selector}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        selectors=selectors_of_job,
        random_draws=config["selection"]["random_draws"],
        hops=config["selection"]["hops"],
        seed=config["seed"],
    message:
        "Ranking perturbations of {wildcards.screen} by {wildcards.selector} on graph {wildcards.graph}"
    script:
        "../workflow/scripts/rank_perturbations.py"


rule select_in_rounds:
    input:
        unpack(model_cells),
        pseudobulk=SCREEN["pseudobulk"],
        splits=SCREEN["splits"],
        graph=selection_graph,
        priors=prior_graphs,
    output:
        rankings="<results>/selection/{screen}/{graph}/rounds/{selector}.parquet",
        costs="<results>/selection/{screen}/{graph}/rounds/{selector}.costs.tsv",
    log:
        "<results>/logs/select_in_rounds/{screen}.{graph}.{selector}.log",
    benchmark:
        "<results>/benchmarks/select_in_rounds/{screen}.{graph}.{selector}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        selectors=selectors_of_job,
        rounds=config["selection"]["rounds"],
        models=model_settings,
        drop_expressing=lookup(dpath="screens/{screen}/drop_cells_expressing_target", within=config),
        min_budget=config["selection"]["min_budget"],
        hops=config["selection"]["hops"],
        seed=config["seed"],
    message:
        "Choosing perturbations of {wildcards.screen} in rounds by {wildcards.selector} on graph {wildcards.graph}"
    script:
        "../workflow/scripts/select_in_rounds.py"


rule fit_selection:
    input:
        unpack(training_cells),
        unpack(context_profiles),
        **SCREEN,
        rankings=rankings_of_job,
        prediction_graph=prediction_graph,
    output:
        predictions="<results>/selection/{screen}/{graph}/predictions/{selector}/{predictor}.parquet",
    log:
        "<results>/logs/fit_selection/{screen}.{graph}.{selector}.{predictor}.log",
    benchmark:
        "<results>/benchmarks/fit_selection/{screen}.{graph}.{selector}.{predictor}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        budgets=budget_settings(),
        settings=predictor_settings,
        drop_expressing=lookup(dpath="screens/{screen}/drop_cells_expressing_target", within=config),
    message:
        "Learning curve of {wildcards.predictor} on {wildcards.screen}, {wildcards.selector}, graph {wildcards.graph}"
    script:
        "../workflow/scripts/fit_selection.py"


rule describe_selection:
    input:
        rankings=lambda wildcards: [f"{path}.parquet" for _, path in screen_rankings(wildcards)],
        costs=lambda wildcards: [f"{path}.costs.tsv" for _, path in screen_rankings(wildcards)],
        splits=SCREEN["splits"],
        graphs=lambda wildcards: [graph_file(graph) for graph in screen_graphs(wildcards)],
        prediction_graph=lambda wildcards: graph_file(
            config["selection"]["screens"][wildcards.screen]["prediction_graph"]
        ),
    output:
        coverage="<results>/selection/{screen}/coverage.tsv",
        stability="<results>/selection/{screen}/stability.tsv",
        costs="<results>/selection/{screen}/costs.tsv",
    log:
        "<results>/logs/describe_selection/{screen}.log",
    benchmark:
        "<results>/benchmarks/describe_selection/{screen}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        graph_of_ranking=lambda wildcards: [graph for graph, _ in screen_rankings(wildcards)],
        graphs=screen_graphs,
        budgets=budget_settings(),
        stability=config["selection"]["stability"],
        days_per_cycle=config["selection"]["days_per_cycle"],
        hops=config["selection"]["hops"],
        seed=config["seed"],
    message:
        "Coverage, stability and costs of the choices on {wildcards.screen}"
    script:
        "../workflow/scripts/describe_selection.py"


rule score_selection:
    input:
        predictions=selection_fits(),
    output:
        scores="<results>/selection/scores.parquet",
        summary="<results>/selection/summary.tsv",
        contrasts="<results>/selection/contrasts.tsv",
        worth="<results>/selection/worth.tsv",
    log:
        "<results>/logs/score_selection/all.log",
    benchmark:
        "<results>/benchmarks/score_selection/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        worthwhile_share=config["selection"]["worthwhile_share"],
        confidence=config["selection"]["confidence"],
        controls=control_graphs(),
    message:
        "Scoring selection"
    script:
        "../workflow/scripts/score_selection.py"
