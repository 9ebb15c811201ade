"""Prepare corpora."""

if in_storage:  # texts that are read where Snakemake runs

    localrules:
        collect_texts,


rule extract_python_docs:
    """Extract docstrings of installed packages as raw texts."""
    input:
        code=code("extract_python_docs.py"),
    output:
        "<results>/sources/{corpus}.parquet",
    log:
        "<logs>/extract_python_docs/{corpus}.log",
    benchmark:
        "<logs>/extract_python_docs/{corpus}.tsv"
    wildcard_constraints:
        corpus=corpora.of("python_docs"),
    conda:
        "../envs/texts.yaml"
    threads: 2
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        packages=corpora.source_flags(keep=("packages",)),
        versions=corpora.package_versions,
    shell:
        "python {input.code[0]} {params.packages} --processes {threads} --output {output} > {log} 2>&1"


rule collect_texts:
    """Collect the .txt or .md files of a folder as raw texts."""
    input:
        code=code("collect_texts.py"),
    output:
        "<results>/sources/{corpus}.parquet",
    log:
        "<logs>/collect_texts/{corpus}.log",
    benchmark:
        "<logs>/collect_texts/{corpus}.tsv"
    wildcard_constraints:
        corpus=corpora.of("folder"),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        source=corpora.source_flags(omit=("type", "path", "label")),
        folder=corpora.raw_folder,
        state=corpora.folder_state,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --folder {params.folder:q} {params.source} --output {output} > {log} 2>&1"


rule prepare_corpus:
    """Clean a raw file and save it as a corpus."""
    input:
        source=corpora.raw_file,
        origin=corpora.origin,
        keyword_classes=from_sources(corpora.keyword_classes),
        code=code("prepare_corpus.py"),
    output:
        corpus="<results>/corpora/{corpus}.parquet",
        counts="<results>/corpora/{corpus}.json",
    log:
        "<logs>/prepare_corpus/{corpus}.log",
    benchmark:
        "<logs>/prepare_corpus/{corpus}.tsv"
    wildcard_constraints:
        corpus=corpora.cleaned(),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000, source=20),
        runtime=minutes(20, source=0.1),
    params:
        corpus=corpora.reading_flags,
        origin=file_flags("origin"),
        expected=corpora.expected_of_made,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --source {input.source:q} {params.corpus} {params.origin} {params.expected}"
        " --output {output.corpus} --counts {output.counts} > {log} 2>&1"


rule relabel_corpus:
    """Make a corpus of the texts of another corpus with coarser labels."""
    input:
        corpus=corpora.original,
        code=code("relabel_corpus.py"),
    output:
        "<results>/corpora/{corpus}.parquet",
    log:
        "<logs>/<rule>/{corpus}.log",
    benchmark:
        "<logs>/<rule>/{corpus}.tsv"
    pathvars:
        rule="relabel_corpus",
    wildcard_constraints:
        corpus=corpora.of("relabelled"),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000, corpus=20),
        runtime=minutes(10, corpus=0.1),
    params:
        source=corpora.source_flags(omit=("type", "corpus")),
        expected=corpora.expected_of_made,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --corpus {input.corpus} {params.source} {params.expected}"
        " --output {output} > {log} 2>&1"


use rule relabel_corpus as sample_corpus with:
    """Draw a fixed random sample of another corpus."""
    input:
        corpus=corpora.original,
        code=code("sample_corpus.py"),
    pathvars:
        rule="sample_corpus",
    wildcard_constraints:
        corpus=corpora.of("sample"),


rule crop_corpus:
    """Make a corpus of two crops of each held-out text."""
    input:
        corpus=corpora.original,
        code=code("crop_corpus.py"),
    output:
        corpus="<results>/corpora/{corpus}.parquet",
        counts="<results>/corpora/{corpus}.json",
    log:
        "<logs>/<rule>/{corpus}.log",
    benchmark:
        "<logs>/<rule>/{corpus}.tsv"
    pathvars:
        rule="crop_corpus",
    wildcard_constraints:
        corpus=corpora.of("crops"),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000, corpus=20),
        runtime=minutes(10, corpus=0.1),
    params:
        source=corpora.source_flags(omit=("type", "corpus")),
        expected=corpora.expected_of_made,
    shell:
        "python -m warm.run --if-running {input.code[0]} --corpus {input.corpus} {params.source} {params.expected}"
        " --output {output.corpus} --counts {output.counts} > {log} 2>&1"


use rule crop_corpus as title_corpus with:
    """Make a corpus of the title and the text of each held-out text."""
    input:
        corpus=corpora.original,
        code=code("title_corpus.py"),
    pathvars:
        rule="title_corpus",
    wildcard_constraints:
        corpus=corpora.of("titles"),


rule describe_corpus:
    """Compute numbers of texts and classes, lengths of texts and sizes of classes of a corpus."""
    input:
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("describe_corpus.py"),
    output:
        description="<results>/descriptions/{corpus}.csv",
        classes="<results>/descriptions/{corpus}_classes.csv",
    log:
        "<logs>/describe_corpus/{corpus}.log",
    benchmark:
        "<logs>/describe_corpus/{corpus}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000, corpus=20),
        runtime=minutes(10, corpus=0.1),
    params:
        split=corpora.knn_split(),
        expected=corpora.expected,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --corpus {input.corpus} {params.split} {params.expected}"
        " --output {output.description} --classes {output.classes} > {log} 2>&1"
