"""Choose a model for a corpus, save it and write a report."""


# Jobs of a few seconds, which are not submitted to a cluster.
localrules:
    choose_model,
    package_model,
    write_report,


rule choose_model:
    """Choose between the encoder before fine-tuning and the models fine-tuned from it."""
    input:
        scores=page.scores(".csv"),
        outcomes=page.scores(".parquet"),
        code=code("choose_model.py"),
    output:
        choice="<results>/choice.json",
        table="<results>/tables/all_models.csv",
    log:
        "<logs>/choose_model.log",
    benchmark:
        "<logs>/choose_model.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        scores=page.score_entries,
        choice=page.choice_flags,
    shell:
        "python -m warm.run --if-running {input.code[0]} {params.scores} {params.choice}"
        " --output {output.choice} --table {output.table} > {log} 2>&1"


rule package_model:
    """Save the chosen model with a model card."""
    input:
        unpack(page.account),
        models=page.models,
        code=code("package_model.py"),
    output:
        directory("<results>/adapted_model"),
    log:
        "<logs>/package_model.log",
    benchmark:
        "<logs>/package_model.tsv"
    priority: 2
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        account=page.account_flags,
    shell:
        "python -m warm.run --if-running {input.code[0]} {params.account} --output {output} > {log} 2>&1"


rule write_report:
    """Write a report on a corpus and the model that was chosen for it."""
    input:
        unpack(page.account),
        models=page.models,
        model="<results>/adapted_model",
        pairs=page.pairs,
        queries=page.queries,
        vectors=page.vectors,
        figures=page.figures,
        maps=page.maps,
        exports=exports.table(),
        code=code("write_report.py"),
    output:
        "<results>/report.html",
    log:
        "<logs>/write_report.log",
    benchmark:
        "<logs>/write_report.tsv"
    priority: 2
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        account=page.account_flags,
        title=page.title,
        files=file_flags("model", "pairs", "queries", "maps", "exports"),
        vectors=page.vector_entries,
        figures=page.entries,
    shell:
        "python {input.code[0]} {params.account} --title {params.title:q} {params.files} {params.vectors}"
        " {params.figures} --output {output} > {log} 2>&1"
