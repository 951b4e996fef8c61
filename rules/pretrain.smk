# Base models: masked-expression reconstruction on the corpus.


rule pretrain:
    message:
        "Pre-training base model {wildcards.base}"
    input:
        training="<results>/corpus/training.npy",
        samples="<results>/corpus/samples.parquet",
        genes="<results>/corpus/genes.parquet",
        splits="<results>/corpus/splits.tsv",
    output:
        model="<results>/pretrain/{base}/model.safetensors",
        information="<results>/pretrain/{base}/model.json",
        history="<results>/pretrain/{base}/history.parquet",
        evaluation="<results>/pretrain/{base}/evaluation.tsv",
    params:
        settings=lookup(dpath="pretrain/bases/{base}", within=config),
        seed=config["seed"],
        device=config["device"],
    log:
        "<results>/logs/pretrain/{base}.log",
    benchmark:
        "<results>/benchmarks/pretrain/{base}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
    conda:
        "../envs/scarceseq.yaml"
    script:
        "../workflow/scripts/pretrain.py"
