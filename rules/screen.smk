# Screens of perturbations, from cells or mean profiles to differences to control.


include: "inputs/screen.smk"


rule fetch_screen:
    output:
        screen="<results>/screen/{screen}/source.h5ad",
    log:
        "<results>/logs/fetch_screen/{screen}.log",
    benchmark:
        "<results>/benchmarks/fetch_screen/{screen}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        name=lookup(dpath="screens/{screen}/catalogue", within=config),
    message:
        "Fetching the public screen {params.name}"
    script:
        "../workflow/scripts/fetch_screen.py"


rule normalise_cells:
    input:
        unpack(symbol_table),
        cells=screen_source,
    output:
        cells="<results>/screen/{screen}/cells.h5ad",
        summary="<results>/screen/{screen}/cells.json",
    log:
        "<results>/logs/normalise_cells/{screen}.log",
    benchmark:
        "<results>/benchmarks/normalise_cells/{screen}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=lookup(dpath="screens/{screen}", within=config),
    message:
        "Normalising the cells of screen {wildcards.screen}"
    script:
        "../workflow/scripts/normalise_cells.py"


rule prepare_screen:
    input:
        unpack(symbol_table),
        unpack(published_split),
        screen=screen_input,
    output:
        pseudobulk="<results>/screen/{screen}/pseudobulk.h5ad",
        differential="<results>/screen/{screen}/differential_genes.parquet",
        splits="<results>/screen/{screen}/splits.tsv",
        summary="<results>/screen/{screen}/summary.json",
        joins="<results>/screen/{screen}/joins.tsv",
    log:
        "<results>/logs/prepare_screen/{screen}.log",
    benchmark:
        "<results>/benchmarks/prepare_screen/{screen}.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=lookup(dpath="screens/{screen}", within=config),
        seed=config["seed"],
    message:
        "Preparing screen {wildcards.screen}"
    script:
        "../workflow/scripts/prepare_screen.py"
