"""Save the adapted model in other forms, and compare them with it."""


ruleorder: embed_export > embed


rule export_model:
    """Save the adapted model in another form: smaller, faster, or with shorter vectors."""
    input:
        model="<results>/adapted_model",
        corpus=exports.corpus,
        code=code("export_model.py"),
    output:
        directory("<results>/exports/{export}"),
    log:
        "<logs>/export_model/{export}.log",
    benchmark:
        "<logs>/export_model/{export}.tsv"
    conda:
        "../envs/export.yaml"
    threads: settings.threads.embed
    resources:
        mem_mb=memory(6000, model=20),
        runtime=minutes(60),
        gpu=asked.gpus_for_encoder,
    params:
        held_out=exports.held_out,
        device=asked.device,
        threads=settings.threads.embed,
    shell:
        "python -m warm.run {input.code[0]} --model {input.model} --corpus {input.corpus} --export {wildcards.export}"
        " --held-out {params.held_out} --device {params.device} --threads {params.threads} --output {output} > {log} 2>&1"


rule embed_export:
    """Embed a corpus with an export of the adapted model, or with the model itself."""
    input:
        model=exports.folder,
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("embed_export.py"),
    output:
        intermediate(directory("<results>/embeddings/{corpus}/exports/{export}/final/own_last")),
    log:
        "<logs>/embed_export/{corpus}/{export}.log",
    benchmark:
        "<logs>/embed_export/{corpus}/{export}.tsv"
    priority: 1
    retries: 2
    conda:
        "../envs/export.yaml"
    threads: settings.threads.embed
    resources:
        mem_mb=memory(4000, model=4, corpus=14),
        runtime=minutes(30, corpus=1),
        gpu=asked.gpus_for_encoder,
    params:
        device=asked.device,
        threads=settings.threads.embed,
    shell:
        "python -m warm.run {input.code[0]} --model {input.model} --corpus {input.corpus} --export {wildcards.export}"
        " --device {params.device} --threads {params.threads} --output {output} > {log} 2>&1"


rule compare_exports:
    """Compare the exports with the adapted model: size, speed on this machine, and scores."""
    input:
        models=exports.models,
        scores=exports.scores(".csv"),
        outcomes=exports.scores(".parquet"),
        corpus=exports.corpus,
        code=code("compare_exports.py"),
    output:
        "<results>/tables/exports.csv",
    log:
        "<logs>/compare_exports.log",
    benchmark:
        "<logs>/compare_exports.tsv"
    conda:
        "../envs/export.yaml"
    threads: settings.threads.embed
    resources:
        mem_mb=memory(4000, models=4),
        runtime=minutes(60),
    params:
        entries=exports.entries,
        threads=settings.threads.embed,
    shell:
        "python -m warm.run {input.code[0]} {params.entries} --corpus {input.corpus} --threads {params.threads}"
        " --output {output} > {log} 2>&1"
