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
    params:
        settings=lambda wildcards: config["network"]["graphs"][wildcards.graph],
    threads: 1
    resources:
        mem_mb=4000,
    conda:
        "../envs/scarceseq.yaml"
    message:
        "Building the gene graph {wildcards.graph}"
    script:
        "../workflow/scripts/build_graph.py"
