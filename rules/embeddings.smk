"""Embed corpora."""


rule embed:
    """Embed a corpus with one model: all selected layers and poolings in one forward pass."""
    input:
        model="<results>/models/{model}",
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("embed.py"),
    output:
        intermediate(directory("<results>/embeddings/{corpus}/{model}/{step}/{selection}")),
    log:
        "<logs>/embed/{corpus}/{model}/{step}/{selection}.log",
    benchmark:
        "<logs>/embed/{corpus}/{model}/{step}/{selection}.tsv"
    # What reads a run goes before the next run, and what reads embeddings before both: scores are available early, and
    # with `keep: results` few run folders and embeddings exist at once.
    priority: 1
    retries: 2
    conda:
        "../envs/train.yaml"
    threads: settings.threads.embed
    resources:
        mem_mb=memory(4000, corpus=14),
        runtime=minutes(30, corpus=1),
        gpu=asked.gpus_for_encoder,
    params:
        embedding=models.embedding_flags,
        device=asked.device,
    shell:
        "python -m warm.run"
        " {input.code[0]} --model {input.model}/{wildcards.step} --corpus {input.corpus} {params.embedding}"
        " --device {params.device} --output {output} > {log} 2>&1"
