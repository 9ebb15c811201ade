"""Make positive pairs."""


rule make_pairs:
    """Make the pairs of a run for all epochs, in training order."""
    input:
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("make_pairs.py"),
    output:
        pairs="<results>/pairs/{corpus}/{augmentation}/epochs-{epochs}/seed-{seed}.parquet",
        settings="<results>/pairs/{corpus}/{augmentation}/epochs-{epochs}/seed-{seed}.json",
    log:
        "<logs>/make_pairs/{corpus}/{augmentation}/epochs-{epochs}/seed-{seed}.log",
    benchmark:
        "<logs>/make_pairs/{corpus}/{augmentation}/epochs-{epochs}/seed-{seed}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000, corpus=28),
        runtime=minutes(10, corpus=0.1),
    params:
        augmentation=models.pairs_flags,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --corpus {input.corpus} {params.augmentation} --epochs {wildcards.epochs}"
        " --seed {wildcards.seed} --output {output.pairs} --settings {output.settings} > {log} 2>&1"
