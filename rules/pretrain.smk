# Base models, pre-trained on the corpus.


rule pretrain:
    input:
        training="<results>/corpus/training.npy",
        samples="<results>/corpus/samples.parquet",
        genes="<results>/corpus/genes.parquet",
        splits="<results>/corpus/splits.tsv",
        attributes="<results>/corpus/attributes.parquet",
    output:
        model="<results>/pretrain/{base}/model.safetensors",
        information="<results>/pretrain/{base}/model.json",
        history="<results>/pretrain/{base}/history.parquet",
        evaluation="<results>/pretrain/{base}/evaluation.tsv",
    log:
        "<results>/logs/pretrain/{base}.log",
    benchmark:
        "<results>/benchmarks/pretrain/{base}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        # That train together on one machine, a GPU each if there are any; a profile may ask for more.
        processes=1,
    params:
        settings=lookup(dpath="pretrain/bases/{base}", within=config),
        seed=config["seed"],
        device=config["device"],
    message:
        "Pre-training base model {wildcards.base}"
    script:
        "../workflow/scripts/pretrain.py"
