# Base models, pre-trained on the corpus.


include: "inputs/pretrain.smk"


rule pretrain:
    input:
        **CORPUS,
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
    threads: lambda wildcards: base_entry(wildcards)["threads"]
    resources:
        # That train together on one machine, a GPU each if there are any; a profile may ask for more.
        processes=1,
    params:
        settings=base_settings,
        seed=config["seed"],
        device=config["device"],
    message:
        "Pre-training base model {wildcards.base}"
    script:
        "../workflow/scripts/pretrain.py"


rule embed:
    input:
        unpack(embedding_inputs),
        **BASE_MODEL,
    output:
        "<results>/pretrain/{base}/embeddings/{dataset}.h5ad",
    log:
        "<results>/logs/embed/{base}.{dataset}.log",
    benchmark:
        "<results>/benchmarks/embed/{base}.{dataset}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        minimum_gene_share=config["pretrain"]["minimum_gene_share"],
        device=config["device"],
    message:
        "Embedding {wildcards.dataset} with base model {wildcards.base}"
    script:
        "../workflow/scripts/embed.py"


rule embed_genes:
    input:
        **BASE_MODEL,
    output:
        genes="<results>/pretrain/{base}/genes.parquet",
    log:
        "<results>/logs/embed_genes/{base}.log",
    benchmark:
        "<results>/benchmarks/embed_genes/{base}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    message:
        "Vectors of genes of base model {wildcards.base}"
    script:
        "../workflow/scripts/embed_genes.py"


rule compare_embeddings:
    input:
        **CORPUS,
        models=lambda wildcards: expand(BASE_MODEL["model"], base=variants(wildcards.base)),
        information=lambda wildcards: expand(BASE_MODEL["information"], base=variants(wildcards.base)),
    output:
        scores="<results>/pretrain/{base}/comparison/{task}.parquet",
        contrasts="<results>/pretrain/{base}/comparison/{task}.json",
    log:
        "<results>/logs/compare_embeddings/{base}.{task}.log",
    benchmark:
        "<results>/benchmarks/compare_embeddings/{base}.{task}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        seed=config["seed"],
        task=lookup(dpath="pretrain/comparison/tasks/{task}", within=config),
        settings=lambda wildcards: {k: v for k, v in config["pretrain"]["comparison"].items() if k != "tasks"},
        device=config["device"],
    message:
        "Comparing embeddings of base model {wildcards.base} with simpler ones on {wildcards.task}"
    script:
        "../workflow/scripts/compare_embeddings.py"
