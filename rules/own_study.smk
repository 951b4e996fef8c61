# A study of the user's own: the best classifier of its genes, a packed model beside it, and the genes that it rests on.


include: "inputs/own_study.smk"


rule unpack_model:
    input:
        **packed_model(),
    output:
        **PACKED,
    log:
        "<results>/logs/unpack_model/all.log",
    benchmark:
        "<results>/benchmarks/unpack_model/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    message:
        "Unpacking the model and checking it"
    script:
        "../workflow/scripts/unpack_model.py"


rule import_own_study:
    input:
        unpack(own_study_files),
        **packed_files("model information card sketches components"),
    output:
        **own_study_expression(),
        samples="<results>/own_study/samples.parquet",
        unlabelled="<results>/own_study/unlabelled.parquet",
        features="<results>/own_study/features.parquet",
        genes="<results>/own_study/model_genes.tsv",
        counts="<results>/own_study/counts.parquet",
        unmapped="<results>/own_study/unmapped_genes.tsv",
        joins="<results>/own_study/joins.tsv",
        notes="<results>/own_study/notes.tsv",
        labels="<results>/own_study/labels.parquet",
    log:
        "<results>/logs/import_own_study/all.log",
    benchmark:
        "<results>/benchmarks/import_own_study/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        settings=own_study_settings("import"),
    message:
        "Bringing in the own study, and onto the genes of the model"
    script:
        "../workflow/scripts/import_own_study.py"


rule check_own_study:
    input:
        **packed_files("card"),
        counts="<results>/own_study/counts.parquet",
        samples="<results>/own_study/samples.parquet",
        labels="<results>/own_study/labels.parquet",
    output:
        samples="<results>/own_study/quality.tsv",
        columns="<results>/own_study/quality_columns.tsv",
        components="<results>/own_study/quality_components.tsv",
        summary="<results>/own_study/quality.json",
    log:
        "<results>/logs/check_own_study/all.log",
    benchmark:
        "<results>/benchmarks/check_own_study/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        label=config["own_study"]["label"],
        group=config["own_study"]["group"],
        organism=config["own_study"]["organism"],
    message:
        "What the samples of the own study are"
    script:
        "../workflow/scripts/check_own_study.py"


rule choose_own_study:
    input:
        **OWN_VALUES,
        unlabelled="<results>/own_study/unlabelled.parquet",
    output:
        predictions="<results>/own_study/best_predictions.parquet",
        samples="<results>/own_study/samples.tsv",
        summary="<results>/own_study/best.json",
    log:
        "<results>/logs/choose_own_study/all.log",
    benchmark:
        "<results>/benchmarks/choose_own_study/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        seed=config["seed"],
        candidates=config["own_study"]["best_candidates"],
        folds=own_study_settings("folds"),
    message:
        "Choosing the best classifier of the own study, fold by fold"
    script:
        "../workflow/scripts/choose_own_study.py"


rule permute_own_study:
    input:
        **OWN_VALUES,
    output:
        permutations="<results>/own_study/permutations.tsv",
    log:
        "<results>/logs/permute_own_study/all.log",
    benchmark:
        "<results>/benchmarks/permute_own_study/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        seed=config["seed"],
        candidates=config["own_study"]["best_candidates"],
        folds=own_study_settings("folds"),
        permutations=config["own_study"]["permutations"],
    message:
        "Choosing it again under permuted labels of the own study"
    script:
        "../workflow/scripts/permute_own_study.py"


rule compare_own_study:
    input:
        **own_gene_sets(),
        counts="<results>/own_study/counts.parquet",
        samples="<results>/own_study/samples.parquet",
    output:
        **own_enrichment(),
        genes="<results>/own_study/differential_genes.tsv",
        summary="<results>/own_study/differential_genes.json",
        power="<results>/own_study/differential_power.tsv",
        layout="<results>/own_study/layout.tsv",
    log:
        "<results>/logs/compare_own_study/all.log",
    benchmark:
        "<results>/benchmarks/compare_own_study/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        next_per_class=config["own_study"]["next_per_class"],
        next_batches=config["own_study"]["next_batches"],
        seed=config["seed"],
    message:
        "Genes that differ between the classes of the own study"
    script:
        "../workflow/scripts/compare_own_study.py"


rule extend_own_study:
    input:
        **OWN_VALUES,
    output:
        curve="<results>/own_study/learning_curve.tsv",
    log:
        "<results>/logs/extend_own_study/all.log",
    benchmark:
        "<results>/benchmarks/extend_own_study/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        seed=config["seed"],
        candidates=config["own_study"]["best_candidates"],
        folds=own_study_settings("folds"),
    message:
        "Learning from fewer samples of the own study"
    script:
        "../workflow/scripts/extend_own_study.py"


rule predict_own_study:
    input:
        own_study_guides(),
        **packed_files("model information components"),
        **own_study_expression(),
        samples="<results>/own_study/samples.parquet",
        notes="<results>/own_study/notes.tsv",
        best="<results>/own_study/best_predictions.parquet",
        best_summary="<results>/own_study/best.json",
        permutations="<results>/own_study/permutations.tsv",
    output:
        predictions="<results>/own_study/predictions.parquet",
        scores="<results>/own_study/scores.tsv",
        contrasts="<results>/own_study/contrasts.tsv",
        summary="<results>/own_study/summary.json",
    log:
        "<results>/logs/predict_own_study/all.log",
    benchmark:
        "<results>/benchmarks/predict_own_study/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        seed=config["seed"],
        device=config["device"],
        methods=own_study_methods(config["own_study"]["methods"]),
        fitting=fitting_of("own_study"),
        folds=own_study_settings("folds"),
        telling=own_study_settings("telling"),
    message:
        "Predicting the own study with the model, and saying what can be told"
    script:
        "../workflow/scripts/predict_own_study.py"


rule explain_own_study:
    input:
        own_study_guides(),
        **{name: PACKED[name] for name in ("model", "information", "components")},
        expression="<results>/own_study/expression.npy",
        samples="<results>/own_study/samples.parquet",
        genes="<results>/own_study/model_genes.tsv",
        predictions="<results>/own_study/predictions.parquet",
        differential="<results>/own_study/differential_genes.tsv",
    output:
        genes="<results>/own_study/genes.tsv",
        summary="<results>/own_study/genes.json",
    log:
        "<results>/logs/explain_own_study/all.log",
    benchmark:
        "<results>/benchmarks/explain_own_study/all.tsv"
    conda:
        "../envs/scarceseq.yaml"
    threads: 1
    params:
        seed=config["seed"],
        method=own_study_methods(config["own_study"]["methods"][:1]),
        fitting=fitting_of("own_study"),
        folds=own_study_settings("folds"),
        options=own_study_settings("explaining"),
    message:
        "Genes that the decision rests on"
    script:
        "../workflow/scripts/explain_own_study.py"
