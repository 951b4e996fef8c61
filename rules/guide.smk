# Guides: scouts learn small tasks from the base model; how far each weight moves becomes the guide.


include: "inputs/guide.smk"


rule plan_scouts:
    input:
        **CORPUS,
        **BASE_MODEL,
    output:
        scouts="<results>/guide/{base}/{scheme}/scouts.parquet",
    log:
        "<results>/logs/plan_scouts/{base}.{scheme}.log",
    benchmark:
        "<results>/benchmarks/plan_scouts/{base}.{scheme}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=scout_settings,
        seed=config["seed"],
        device=config["device"],
    message:
        "Planning scouts {wildcards.scheme} of base model {wildcards.base}"
    script:
        "../workflow/scripts/plan_scouts.py"


rule train_scouts:
    input:
        **MATRIX,
        **BASE_MODEL,
        scouts="<results>/guide/{base}/{scheme}/scouts.parquet",
    output:
        displacement="<results>/guide/{base}/{scheme}/displacement/{block}.safetensors",
        outcomes="<results>/guide/{base}/{scheme}/displacement/{block}.json",
    log:
        "<results>/logs/train_scouts/{base}.{scheme}.{block}.log",
    benchmark:
        "<results>/benchmarks/train_scouts/{base}.{scheme}.{block}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=scout_settings,
        seed=config["seed"],
        device=config["device"],
    message:
        "Training scouts {wildcards.scheme}, {wildcards.block}, from base model {wildcards.base}"
    script:
        "../workflow/scripts/train_scouts.py"


rule compute_guide:
    input:
        **BASE_MODEL,
        genes=CORPUS["genes"],
        scouts="<results>/guide/{base}/{scheme}/scouts.parquet",
        displacement=expand(
            "<results>/guide/{{base}}/{{scheme}}/displacement/{block}.safetensors",
            block=guide_blocks,
        ),
        outcomes=expand(
            "<results>/guide/{{base}}/{{scheme}}/displacement/{block}.json",
            block=guide_blocks,
        ),
    output:
        guides=expand(
            "<results>/guide/{{base}}/{{scheme}}/{guide}.safetensors",
            guide=GUIDES,
        ),
        summaries=expand(
            "<results>/guide/{{base}}/{{scheme}}/{guide}.json",
            guide=GUIDES,
        ),
        mobility="<results>/guide/{base}/{scheme}/gene_mobility.tsv",
        accuracy="<results>/guide/{base}/{scheme}/accuracy.tsv",
    log:
        "<results>/logs/compute_guide/{base}.{scheme}.log",
    benchmark:
        "<results>/benchmarks/compute_guide/{base}.{scheme}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=lookup(dpath="guide/schemes/{scheme}", within=config),
    message:
        "Computing guides {wildcards.scheme} of base model {wildcards.base}"
    script:
        "../workflow/scripts/compute_guide.py"


rule meta_train:
    input:
        **MATRIX,
        **BASE_MODEL,
        scouts=meta_plan,
    output:
        "<results>/guide/{base}/meta/{learner}.safetensors",
    log:
        "<results>/logs/meta_train/{base}.{learner}.log",
    benchmark:
        "<results>/benchmarks/meta_train/{base}.{learner}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=meta_settings,
        seed=config["seed"],
        device=config["device"],
    message:
        "Meta-learning {wildcards.learner} from base model {wildcards.base}"
    script:
        "../workflow/scripts/meta_train.py"


rule pack_model:
    input:
        **MATRIX,
        **BASE_MODEL,
        evaluation="<results>/pretrain/{base}/evaluation.tsv",
        accuracy="<results>/guide/{base}/{scheme}/accuracy.tsv",
        guides=expand(
            "<results>/guide/{{base}}/{{scheme}}/{guide}.safetensors",
            guide=GUIDES,
        ),
        summaries=expand(
            "<results>/guide/{{base}}/{{scheme}}/{guide}.json",
            guide=GUIDES,
        ),
        about=config["guide"]["packed_about"] or [],
    output:
        "<results>/packed/{base}.{scheme}.zip",
    log:
        "<results>/logs/pack_model/{base}.{scheme}.log",
    benchmark:
        "<results>/benchmarks/pack_model/{base}.{scheme}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        scheme=lookup(dpath="guide/schemes/{scheme}", within=config),
        components=config["guide"]["packed_components"],
        bits=config["guide"]["packed_bits"],
        seed=config["seed"],
    message:
        "Packing base model {wildcards.base} with the guides of {wildcards.scheme}"
    script:
        "../workflow/scripts/pack_model.py"
