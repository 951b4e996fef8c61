# Few-shot comparison: episodes from held-out studies, every method on the same episodes, scores clustered by study.


rule plan_episodes:
    input:
        samples="<results>/corpus/samples.parquet",
        attributes="<results>/corpus/attributes.parquet",
        splits="<results>/corpus/splits.tsv",
    output:
        episodes="<results>/fewshot/episodes/{task}.parquet",
        plan="<results>/fewshot/episodes/{task}.json",
    log:
        "<results>/logs/plan_episodes/{task}.log",
    benchmark:
        "<results>/benchmarks/plan_episodes/{task}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        seed=config["seed"],
        split=lookup(dpath="fewshot/tasks/{task}/split", within=config),
        label=lookup(dpath="fewshot/tasks/{task}/label", within=config),
        protocol=lookup(dpath="fewshot/tasks/{task}/protocol", within=config),
        classes=lookup(dpath="fewshot/tasks/{task}/classes", within=config),
        group=lookup(dpath="fewshot/tasks/{task}/group", within=config),
        ways=lookup(dpath="fewshot/tasks/{task}/ways", within=config),
        shots=lookup(dpath="fewshot/tasks/{task}/shots", within=config),
        episodes=config["fewshot"]["episodes"],
        validation_episodes=config["fewshot"]["validation_episodes"],
        query_per_class=config["fewshot"]["query_per_class"],
    message:
        "Episodes of {wildcards.task}"
    script:
        "../workflow/scripts/plan_episodes.py"


rule fit_episodes:
    input:
        unpack(guide_inputs),
        training="<results>/corpus/training.npy",
        samples="<results>/corpus/samples.parquet",
        genes="<results>/corpus/genes.parquet",
        splits="<results>/corpus/splits.tsv",
        episodes="<results>/fewshot/episodes/{task}.parquet",
        model="<results>/pretrain/{base}/model.safetensors",
        information="<results>/pretrain/{base}/model.json",
    output:
        "<results>/fewshot/predictions/{base}/{method}/{task}.parquet",
    log:
        "<results>/logs/fit_episodes/{base}.{method}.{task}.log",
    benchmark:
        "<results>/benchmarks/fit_episodes/{base}.{method}.{task}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        seed=config["seed"],
        device=config["device"],
        fitting=fitting_of_method,
    message:
        "{wildcards.method} on {wildcards.task} (base {wildcards.base})"
    script:
        "../workflow/scripts/fit_episodes.py"


rule score_fewshot:
    input:
        predictions=fewshot_predictions(),
        plans=expand("<results>/fewshot/episodes/{task}.json", task=config["fewshot"]["tasks"]),
    output:
        scores="<results>/fewshot/scores.parquet",
        summary="<results>/fewshot/summary.tsv",
        contrasts="<results>/fewshot/contrasts.tsv",
    log:
        "<results>/logs/score_fewshot/all.log",
    benchmark:
        "<results>/benchmarks/score_fewshot/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        seed=config["seed"],
        scoring=config["fewshot"]["scoring"],
    message:
        "Few-shot scores, summary and contrasts"
    script:
        "../workflow/scripts/score_fewshot.py"
