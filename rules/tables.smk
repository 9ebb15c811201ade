"""Lay out tables as CSV, LaTeX and HTML."""


# Jobs of a few seconds, which are not submitted to a cluster.
localrules:
    lay_out_scores,
    lay_out_corpora,


# Other tables inherit the command, which runs the first file of `code` with flags from the params.
rule lay_out_scores:
    """Lay out the scores of an experiment."""
    input:
        table=tables.source,
        published=tables.published,
        code=code("lay_out_scores.py"),
    output:
        **laid_out("table"),
    log:
        "<logs>/<rule>/{table}.log",
    benchmark:
        "<logs>/<rule>/{table}.tsv"
    pathvars:
        rule="lay_out_scores",
    wildcard_constraints:
        table=tables.laid_out_as("scores"),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        shown=file_flags("table", "published"),
        layout=tables.layout,
        measures=tables.measures,
        title=tables.title,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} {params.shown} {params.layout} {params.measures}"
        " --output {output} > {log} 2>&1"


use rule lay_out_scores as lay_out_corpora with:
    """Lay out a description of corpora."""
    input:
        descriptions=tables.descriptions,
        code=code("lay_out_corpora.py"),
    pathvars:
        rule="lay_out_corpora",
    wildcard_constraints:
        table=tables.laid_out_as("corpora"),
    params:
        shown=file_flags("descriptions"),
        measures="",


use rule lay_out_scores as lay_out_differences with:
    """Lay out differences from the scores of one model, with confidence intervals and verdicts."""
    input:
        scores=tables.compared_files(".csv"),
        outcomes=tables.compared_files(".parquet"),
        code=code("lay_out_differences.py"),
    output:
        **laid_out("differences"),
    pathvars:
        rule="lay_out_differences",
    wildcard_constraints:
        table=tables.laid_out_as("differences"),
    resources:
        mem_mb=memory(4000),
        runtime=minutes(20),
    params:
        shown=tables.compared_entries,
