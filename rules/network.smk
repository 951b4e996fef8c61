# Network: gene graphs from annotations, edge tables and the corpus.


include: "inputs/network.smk"


rule build_graph:
    input:
        unpack(graph_inputs),
    output:
        edges="<results>/network/{graph}.parquet",
        summary="<results>/network/{graph}.json",
        joins="<results>/network/{graph}.joins.tsv",
    log:
        "<results>/logs/build_graph/{graph}.log",
    benchmark:
        "<results>/benchmarks/build_graph/{graph}.tsv"
    wildcard_constraints:
        graph="[^/]+",
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=lookup(dpath="network/graphs/{graph}", within=config),
        seed=config["seed"],
    message:
        "Building the gene graph {wildcards.graph}"
    script:
        "../workflow/scripts/build_graph.py"


rule build_embedding:
    input:
        unpack(gene_embedding_inputs),
    output:
        embedding="<results>/network/embeddings/{embedding}.parquet",
    log:
        "<results>/logs/build_embedding/{embedding}.log",
    benchmark:
        "<results>/benchmarks/build_embedding/{embedding}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=lookup(dpath="network/embeddings/{embedding}", within=config),
    message:
        "Building the gene embedding {wildcards.embedding}"
    script:
        "../workflow/scripts/build_embedding.py"
