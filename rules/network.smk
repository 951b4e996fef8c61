# Stage 6: gene graphs from annotations, edge tables and the corpus.


rule build_graph:
    input:
        unpack(graph_inputs),
    output:
        edges="<results>/network/{graph}.parquet",
        summary="<results>/network/{graph}.json",
    log:
        "<results>/logs/build_graph/{graph}.log",
    benchmark:
        "<results>/benchmarks/build_graph/{graph}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        settings=lookup(dpath="network/graphs/{graph}", within=config),
    message:
        "Building the gene graph {wildcards.graph}"
    script:
        "../workflow/scripts/build_graph.py"
