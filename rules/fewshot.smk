# Few-shot comparison: episodes from held-out studies, every method on the same episodes, scores clustered by study.


include: "inputs/fewshot.smk"


rule plan_episodes:
    input:
        **{name: CORPUS[name] for name in ("samples", "attributes", "splits")},
    output:
        episodes="<results>/fewshot/episodes/{task}/{way}way_{shot}shot.parquet",
        plan="<results>/fewshot/episodes/{task}/{way}way_{shot}shot.json",
    log:
        "<results>/logs/plan_episodes/{task}.{way}way_{shot}shot.log",
    benchmark:
        "<results>/benchmarks/plan_episodes/{task}.{way}way_{shot}shot.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        seed=config["seed"],
        settings=episode_settings,
    message:
        "Episodes of {wildcards.task}, {wildcards.way} classes, {wildcards.shot} per class"
    script:
        "../workflow/scripts/plan_episodes.py"


rule fit_episodes:
    input:
        unpack(learned_inputs),
        **MATRIX,
        **BASE_MODEL,
        attributes=CORPUS["attributes"],
        episodes="<results>/fewshot/episodes/{task}/{way}way_{shot}shot.parquet",
    output:
        predictions="<results>/fewshot/predictions/{base}/{block}/{task}/{way}way_{shot}shot.parquet",
        curves="<results>/fewshot/curves/{base}/{block}/{task}/{way}way_{shot}shot.parquet",
    log:
        "<results>/logs/fit_episodes/{base}.{block}.{task}.{way}way_{shot}shot.log",
    benchmark:
        "<results>/benchmarks/fit_episodes/{base}.{block}.{task}.{way}way_{shot}shot.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        seed=config["seed"],
        device=config["device"],
        methods=block_methods,
        label=lookup(dpath="fewshot/tasks/{task}/label", within=config),
        centring=lookup(dpath="fewshot/tasks/{task}/centring", within=config),
        fitting=fitting_of("fewshot"),
    message:
        "{wildcards.block} on {wildcards.task}, {wildcards.way} classes, {wildcards.shot} per class "
        "(base {wildcards.base})"
    script:
        "../workflow/scripts/fit_episodes.py"


rule score_fewshot:
    input:
        predictions=fewshot_files("predictions"),
        curves=fewshot_files("curves"),
        plans=fewshot_plans(),
    output:
        scores="<results>/fewshot/scores.parquet",
        summary="<results>/fewshot/summary.tsv",
        contrasts="<results>/fewshot/contrasts.tsv",
        curves="<results>/fewshot/curves.tsv",
        ranks="<results>/fewshot/ranks.tsv",
        tuning="<results>/fewshot/tuning.tsv",
        verdict="<results>/fewshot/verdict.md",
    log:
        "<results>/logs/score_fewshot/all.log",
    benchmark:
        "<results>/benchmarks/score_fewshot/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        scoring=config["fewshot"]["scoring"],
        fits=[{"base": base, "task": task} for base, _, _, task, _, _ in fewshot_fits()],
        methods=fewshot_methods(),
    message:
        "Few-shot scores, summary and contrasts"
    script:
        "../workflow/scripts/score_fewshot.py"
