# Design: a list of genes to perturb next, for whoever has a graph, candidates and a budget.


include: "inputs/design.smk"


rule design_screen:
    input:
        unpack(design_lists),
        graphs=[graph_file(graph) for graph in design_graphs()],
    output:
        order="<results>/design/order.tsv",
        plates="<results>/design/plates.tsv",
        curve="<results>/design/curve.tsv",
        names="<results>/design/names.tsv",
        joins="<results>/design/joins.tsv",
        guides="<results>/design/guides.tsv",
        summary="<results>/design/summary.json",
        picture="<results>/design/coverage.svg",
        page="<results>/design/summary.html",
        sheet="<results>/design/summary.pdf",
        workbook="<results>/design/design.xlsx",
    log:
        "<results>/logs/design_screen/all.log",
    benchmark:
        "<results>/benchmarks/design_screen/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=design_settings(),
        name=config["name"],
        seed=config["seed"],
    message:
        "Choosing genes to perturb"
    script:
        "../workflow/scripts/design_screen.py"


rule plan_cells:
    input:
        unpack(design_lists),
        unpack(cell_numbers),
        graphs=[graph_file(graph) for graph in design_graphs()],
    output:
        cells="<results>/design/cells.tsv",
        plan="<results>/design/genes_by_cells.tsv",
        summary="<results>/design/cells.json",
    log:
        "<results>/logs/plan_cells/all.log",
    benchmark:
        "<results>/benchmarks/plan_cells/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=design_settings(),
    message:
        "How many cells a perturbation needs"
    script:
        "../workflow/scripts/plan_cells.py"
