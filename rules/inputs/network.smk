# What the rules of rules/network.smk read and are told, as far as the config decides it.


def corpus_files():
    """Files of the corpus that graphs and embeddings are made from."""
    names = ("training.npy", "samples.parquet", "genes.parquet", "splits.tsv")
    return {Path(name).stem: f"{RESULTS}/corpus/{name}" for name in names}


def graph_inputs(wildcards):
    """Files that a graph is built from: the corpus, other graphs, cells of a screen, or the graph's own table."""
    graph = config["network"]["graphs"][wildcards.graph]
    if graph["kind"] == "corpus_coexpression":
        found = corpus_files()
    elif graph["of"]:
        found = {"graphs": [f"{RESULTS}/network/{name}.parquet" for name in graph["of"]]}
    elif graph["screen"]:
        found = {"cells": f"{RESULTS}/screen/{graph['screen']}/cells.h5ad"}
    else:
        found = {"table": graph["path"]} | ({"names": graph["gene_names"]} if graph["gene_names"] else {})
    return found | ({"restriction": graph["genes"]} if graph["genes"] else {})


def gene_embedding_inputs(wildcards):
    """Files that a gene embedding is built from: the corpus, a base model's genes, or the embedding's own table."""
    embedding = config["network"]["embeddings"][wildcards.embedding]
    if embedding["kind"] == "base_model":
        return {"genes": f"{RESULTS}/pretrain/{embedding['base']}/genes.parquet"}
    return corpus_files() if embedding["kind"] == "corpus_components" else {"table": embedding["path"]}
