# Archive: which studies there are, their files fetched and verified, and a user's own studies.


include: "inputs/archive.smk"


rule fetch_annotation:
    input:
        archive_inputs(),
    output:
        annotation="<results>/archive/annotation.gtf.gz",
    log:
        "<results>/logs/fetch_annotation/all.log",
    benchmark:
        "<results>/benchmarks/fetch_annotation/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        mirrors=config["archive"]["mirrors"],
        organism=config["archive"]["organism"],
        annotation=config["archive"]["annotation"],
        download=config["archive"]["download"],
    message:
        "Fetching the gene annotation"
    script:
        "../workflow/scripts/fetch_annotation.py"


rule list_studies:
    input:
        unpack(accession_table),
        archive=archive_inputs(),
    output:
        studies="<results>/archive/studies.tsv",
        excluded="<results>/archive/excluded_ids.tsv",
        plans=expand("<results>/archive/plan/{batch}.tsv", batch=batches()),
    log:
        "<results>/logs/list_studies/all.log",
    benchmark:
        "<results>/benchmarks/list_studies/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        batches=batches(),
        mirrors=config["archive"]["mirrors"],
        organism=config["archive"]["organism"],
        sources=config["archive"]["sources"],
        min_runs=config["archive"]["min_runs"],
        studies=config["archive"]["studies"],
        max_study_runs=config["archive"]["max_study_runs"],
        draw=draw_of_studies(),
        giant_studies=batch_names(config["archive"])[1],
        excluded_studies=excluded_studies(),
        download=config["archive"]["download"],
    message:
        "Listing the studies of the archive"
    script:
        "../workflow/scripts/list_studies.py"


rule fetch_batch:
    input:
        archive_inputs(),
        plan="<results>/archive/plan/{batch}.tsv",
        annotation="<results>/archive/annotation.gtf.gz",
    output:
        # The files lie beside it and stay when the job runs again, so that it fetches only what does not verify.
        manifest="<results>/archive/batches/{batch}/manifest.jsonl",
    log:
        "<results>/logs/fetch_batch/{batch}.log",
    benchmark:
        "<results>/benchmarks/fetch_batch/{batch}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    resources:
        connections=config["archive"]["download"]["connections"],
    params:
        mirrors=config["archive"]["mirrors"],
        annotation=config["archive"]["annotation"],
        excluded_studies=excluded_studies(),
        runs=metadata_filter(),
        title_words=config["archive"]["title_words"],
        download=config["archive"]["download"],
    message:
        "Fetching and verifying {wildcards.batch}"
    script:
        "../workflow/scripts/fetch_batch.py"


rule import_study:
    input:
        unpack(user_study_files),
    output:
        study="<results>/archive/user/{study}/study.h5ad",
        attributes="<results>/archive/user/{study}/attributes.parquet",
        unmapped="<results>/archive/user/{study}/unmapped_genes.tsv",
        joins="<results>/archive/user/{study}/joins.tsv",
        notes="<results>/archive/user/{study}/notes.tsv",
    log:
        "<results>/logs/import_study/{study}.log",
    benchmark:
        "<results>/benchmarks/import_study/{study}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        study=user_study,
    message:
        "Importing the user study {wildcards.study}"
    script:
        "../workflow/scripts/import_study.py"
