"""Download texts, encoders and data of benchmark tasks; only these rules use the network."""


localrules:
    download_file,
    download_dataset,
    download_task,
    download_encoder,


rule download_file:
    """Download a file of texts and verify its checksum."""
    input:
        code=code("download_file.py"),
    output:
        "<results>/sources/{corpus}.download",
    log:
        "<logs>/download_file/{corpus}.log",
    benchmark:
        "<logs>/download_file/{corpus}.tsv"
    wildcard_constraints:
        corpus=corpora.of("url", "iclr"),
    conda:
        "../envs/download.yaml"
    params:
        source=corpora.source_flags(keep=("url", "sha256", "git_blob")),
    shell:
        "python {input.code[0]} {params.source} --output {output} > {log} 2>&1"


rule download_dataset:
    """Download a data set from the hub as a table of texts and labels, and record its revision."""
    input:
        code=code("download_dataset.py"),
    output:
        texts="<results>/sources/{corpus}.parquet",
        origin="<results>/sources/{corpus}.json",
    log:
        "<logs>/download_dataset/{corpus}.log",
    benchmark:
        "<logs>/download_dataset/{corpus}.tsv"
    wildcard_constraints:
        corpus=corpora.of("hub"),
    conda:
        "../envs/download.yaml"
    params:
        source=corpora.source_flags(omit=("type",)),
    shell:
        "python {input.code[0]} {params.source} --output {output.texts} --origin {output.origin} > {log} 2>&1"


rule download_task:
    """Download the data of an MTEB task at the revision of MTEB's registry."""
    input:
        code=code("download_task.py"),
    output:
        directory("<results>/tasks/{task}"),
    log:
        "<logs>/download_task/{task}.log",
    benchmark:
        "<logs>/download_task/{task}.tsv"
    wildcard_constraints:
        task=named(settings.tasks, "registry"),
    conda:
        "../envs/mteb.yaml"
    shell:
        "python {input.code[0]} --task {wildcards.task} --output {output} > {log} 2>&1"


rule download_encoder:
    """Download a pretrained encoder from the hub; no other rule downloads weights."""
    input:
        code=code("download_encoder.py"),
    output:
        directory("<results>/encoders/{encoder}"),
    log:
        "<logs>/download_encoder/{encoder}.log",
    benchmark:
        "<logs>/download_encoder/{encoder}.tsv"
    wildcard_constraints:
        encoder=models.of("hub"),
    conda:
        "../envs/train.yaml"
    params:
        encoder=models.hub_flags,
    shell:
        "python {input.code[0]} {params.encoder} --output {output} > {log} 2>&1"
