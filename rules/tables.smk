"""Tables for print."""


# Seconds each, in a moment when nothing else can run: not worth a place in a queue.
localrules:
    lay_out_scores,
    lay_out_corpora,


# The other tables inherit its command, which `use rule` cannot change: it runs the first file of `code`, and takes flags
# from the params.
rule lay_out_scores:
    """An experiment's scores as a table for print, CSV and LaTeX."""
    input:
        table=tables.source,
        published=tables.published,
        code=code("lay_out_scores.py"),
    output:
        csv=report(
            "<figures>/{table}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        tex="<figures>/{table}.tex",
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
        "python {input.code[0]} {params.shown} {params.layout} {params.measures}"
        " --output {output.csv} {output.tex} > {log} 2>&1"


use rule lay_out_scores as lay_out_corpora with:
    """Corpora as a table for print, CSV and LaTeX."""
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
    """Scores against those of one model, with intervals and verdicts, as a table for print, CSV and LaTeX."""
    input:
        scores=tables.compared_files(".csv"),
        outcomes=tables.compared_files(".parquet"),
        code=code("lay_out_differences.py"),
    output:
        csv=report(
            "<figures>/{table}.csv",
            caption="../report/differences.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        tex="<figures>/{table}.tex",
    pathvars:
        rule="lay_out_differences",
    wildcard_constraints:
        table=tables.laid_out_as("differences"),
    resources:
        mem_mb=memory(4000),
        runtime=minutes(20),
    params:
        shown=tables.compared_entries,


for name in settings.tables:

    rule:
        name:
            name
        input:
            tables.files(name),
