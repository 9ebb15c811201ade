"""Embed corpora."""


rule embed:
    """Embed a corpus with one model: all selected layers and poolings in one forward pass; or merge parts of it."""
    input:
        model="<results>/models/{model}",
        corpus="<results>/corpora/{corpus}.parquet",
        parts=models.embedded_parts,
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
        parts=file_flags("parts"),
        device=asked.device,
    shell:
        "python -m warm.run"
        " {input.code[0]} --model {input.model}/{wildcards.step} --corpus {input.corpus} {params.embedding}"
        " {params.parts} --device {params.device} --output {output} > {log} 2>&1"


use rule embed as embed_part with:
    """Embed a part of the texts of a corpus, one of several jobs."""
    input:
        model="<results>/models/{model}",
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("embed.py"),
    output:
        temp(directory("<results>/embeddings_in_parts/{corpus}/{model}/{step}/{selection}/{part}")),
    log:
        "<logs>/embed_part/{corpus}/{model}/{step}/{selection}/{part}.log",
    benchmark:
        "<logs>/embed_part/{corpus}/{model}/{step}/{selection}/{part}.tsv"
    wildcard_constraints:
        part=r"\d+-of-\d+",
    # Below that of `embed`: finished parts are merged before others are begun.
    priority: 0.5
    resources:
        mem_mb=memory(4000, corpus=14),
        runtime=minutes(30, part=1),
        gpu=asked.gpus_for_encoder,
    params:
        parts="--part {part}",
