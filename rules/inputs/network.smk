# What the rules of rules/network.smk read and which settings they get, as far as the config decides it.


def graph_inputs(wildcards):
    """Files that a graph is built from: the corpus, other graphs, cells of a screen, or the graph's own table."""
    graph = config["network"]["graphs"][wildcards.graph]
    if graph["kind"] == "corpus_coexpression":
        files = MATRIX
    elif graph["of"]:
        files = {"graphs": [graph_file(name) for name in graph["of"]]}
    elif graph["screen"]:
        files = {"cells": f"{RESULTS}/screen/{graph['screen']}/cells.h5ad"}
    else:
        files = {"table": graph["path"]} | ({"names": graph["gene_names"]} if graph["gene_names"] else {})
    return files | ({"restriction": graph["genes"]} if graph["genes"] else {})


def gene_embedding_inputs(wildcards):
    """Files that a gene embedding is built from: the corpus, a base model's genes, or the embedding's own table."""
    embedding = config["network"]["embeddings"][wildcards.embedding]
    if embedding["kind"] == "base_model":
        return {"genes": f"{RESULTS}/pretrain/{embedding['base']}/genes.parquet"}
    return MATRIX if embedding["kind"] == "corpus_components" else {"table": embedding["path"]}
