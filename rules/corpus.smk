# Corpus: from verified files to one normalised matrix, and its splits by study.


include: "inputs/corpus.smk"


rule build_shard:
    input:
        plan="<results>/archive/plan/{batch}.tsv",
        manifest="<results>/archive/batches/{batch}/manifest.jsonl",
        annotation="<results>/archive/annotation.gtf.gz",
    output:
        counts="<results>/corpus/shards/{batch}.h5ad",
        dropped="<results>/corpus/shards/{batch}.dropped.tsv",
        attributes="<results>/corpus/shards/{batch}.attributes.parquet",
        metadata="<results>/corpus/shards/{batch}.metadata.parquet",
    log:
        "<results>/logs/build_shard/{batch}.log",
    benchmark:
        "<results>/benchmarks/build_shard/{batch}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        runs=config["corpus"]["runs"],
        dropped_genes=config["corpus"]["dropped_genes"],
        seed=config["seed"],
    message:
        "Filtering the runs of {wildcards.batch}"
    script:
        "../workflow/scripts/build_shard.py"


rule merge_corpus:
    input:
        manifests=expand("<results>/archive/batches/{batch}/manifest.jsonl", batch=batches()),
        shards=expand("<results>/corpus/shards/{batch}.h5ad", batch=batches()),
        dropped=expand("<results>/corpus/shards/{batch}.dropped.tsv", batch=batches()),
        studies=expand("<results>/archive/user/{study}/study.h5ad", study=user_studies()),
        corpora=expand("{folder}/corpus.h5ad", folder=config["corpus"]["joined"]),
        orthologue_table=orthologue_table(),
        gene_list=config["corpus"]["gene_list"] or [],
        vocabulary=config["corpus"]["vocabulary"]["table"] or [],
        attributes=[
            *expand("<results>/corpus/shards/{batch}.attributes.parquet", batch=batches()),
            *expand("<results>/archive/user/{study}/attributes.parquet", study=user_studies()),
            *expand("{folder}/attributes.parquet", folder=config["corpus"]["joined"]),
        ],
        metadata=[
            *expand("<results>/corpus/shards/{batch}.metadata.parquet", batch=batches()),
            *expand("{folder}/metadata.parquet", folder=config["corpus"]["joined"]),
        ],
        listed="<results>/archive/studies.tsv" if "archive" in config else [],
        excluded="<results>/archive/excluded_ids.tsv" if "archive" in config else [],
    output:
        corpus="<results>/corpus/corpus.h5ad",
        training="<results>/corpus/training.npy",
        samples="<results>/corpus/samples.parquet",
        genes="<results>/corpus/genes.parquet",
        attributes="<results>/corpus/attributes.parquet",
        metadata="<results>/corpus/metadata.parquet",
        studies="<results>/corpus/studies.tsv",
        dropped="<results>/corpus/dropped_runs.tsv",
        orthologues="<results>/corpus/orthologues.tsv",
        vocabulary="<results>/corpus/vocabulary.tsv",
        excluded="<results>/corpus/excluded_ids.tsv",
    log:
        "<results>/logs/merge_corpus/all.log",
    benchmark:
        "<results>/benchmarks/merge_corpus/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        max_failed_share=config.get("archive", {}).get("max_failed_share", 0),
        must_be_found=config.get("archive", {}).get("excluded_must_be_found", False),
        organism=config.get("archive", {}).get("organism"),
        gene_types=config["corpus"]["gene_types"],
        measured_share=config["corpus"]["measured_share"],
        orthologues=config["corpus"]["orthologues"],
        vocabulary=vocabulary(),
        excluded_studies=excluded_studies() if config["corpus"]["joined"] else [],
    message:
        "Joining all studies into one corpus"
    script:
        "../workflow/scripts/merge_corpus.py"


rule split_studies:
    input:
        samples=CORPUS["samples"],
        attributes=CORPUS["attributes"],
    output:
        splits="<results>/corpus/splits.tsv",
    log:
        "<results>/logs/split_studies/all.log",
    benchmark:
        "<results>/benchmarks/split_studies/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        splits=config["corpus"]["splits"],
        seed=config["seed"],
        roles=drawn_roles,
    message:
        "Splitting the studies into roles"
    script:
        "../workflow/scripts/split_studies.py"
