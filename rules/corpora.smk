"""Raw files and corpora."""


rule extract_python_docs:
    """Docstrings of installed packages, as raw texts."""
    input:
        code=code("extract_python_docs.py"),
    output:
        "<results>/sources/{corpus}.parquet",
    log:
        "<logs>/extract_python_docs/{corpus}.log",
    benchmark:
        "<logs>/extract_python_docs/{corpus}.tsv"
    conda:
        "../envs/texts.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        packages=lambda wildcards: " ".join(settings.corpora[wildcards.corpus].source.packages),
        versions=package_versions,
    shell:
        "python scripts/extract_python_docs.py --packages {params.packages} --processes {threads}"
        " --output {output} > {log} 2>&1"


rule prepare_corpus:
    """A raw file cleaned into a corpus."""
    input:
        source=corpus_source,
        code=code("prepare_corpus.py"),
    output:
        corpus="<results>/corpora/{corpus}.parquet",
        counts="<results>/corpora/{corpus}.json",
    log:
        "<logs>/prepare_corpus/{corpus}.log",
    benchmark:
        "<logs>/prepare_corpus/{corpus}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        corpus=corpus_flags,
    shell:
        "python scripts/prepare_corpus.py --source {input.source:q} {params.corpus}"
        " --output {output.corpus} --counts {output.counts} > {log} 2>&1"
