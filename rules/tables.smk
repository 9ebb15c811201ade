"""Tables for print, and the comparison with published numbers."""


# Seconds each, in a moment when nothing else can run: not worth a place in a queue.
localrules:
    lay_out_scores,
    lay_out_corpora,
    extract_published,
    compare_with_paper,


rule lay_out_scores:
    """An experiment's scores as a table for print, CSV and LaTeX."""
    input:
        table=table_source,
        published=table_published,
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
        "<logs>/lay_out_scores/{table}.log",
    benchmark:
        "<logs>/lay_out_scores/{table}.tsv"
    wildcard_constraints:
        table=tables_laid_out_as("scores"),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        layout=table_flags,
        measures=table_measures,
        repeated=repeated_corpora,
        published=published_flag,
        title=table_title,
    shell:
        "python scripts/lay_out_scores.py --table {input.table} {params.published} {params.layout} {params.repeated}"
        " {params.measures} --output {output.csv} {output.tex} > {log} 2>&1"


rule lay_out_corpora:
    """Corpora as a table for print, CSV and LaTeX."""
    input:
        descriptions=descriptions,
        code=code("lay_out_corpora.py"),
    output:
        csv=report(
            "<figures>/{table}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        tex="<figures>/{table}.tex",
    log:
        "<logs>/lay_out_corpora/{table}.log",
    benchmark:
        "<logs>/lay_out_corpora/{table}.tsv"
    wildcard_constraints:
        table=tables_laid_out_as("corpora"),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        layout=lambda wildcards: flags(settings.tables[wildcards.table], keep=("caption",)),
        title=table_title,
    shell:
        "python scripts/lay_out_corpora.py --descriptions {input.descriptions} {params.layout}"
        " --output {output.csv} {output.tex} > {log} 2>&1"


rule lay_out_differences:
    """Scores against those of one model, with intervals and verdicts, as a table for print, CSV and LaTeX."""
    input:
        scores=compared_files(".csv"),
        outcomes=compared_files(".parquet"),
        code=code("lay_out_differences.py"),
    output:
        csv=report(
            "<figures>/{table}.csv",
            caption="../report/differences.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        tex="<figures>/{table}.tex",
    log:
        "<logs>/lay_out_differences/{table}.log",
    benchmark:
        "<logs>/lay_out_differences/{table}.tsv"
    wildcard_constraints:
        table=tables_laid_out_as("differences"),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(20),
    params:
        entries=compared_entries,
        layout=table_flags,
        measures=table_measures,
        title=table_title,
    shell:
        "python scripts/lay_out_differences.py {params.entries} {params.layout} {params.measures}"
        " --output {output.csv} {output.tex} > {log} 2>&1"


rule extract_published:
    """The published numbers of one experiment."""
    input:
        published=settings.published or [],
        code=code("extract_published.py"),
    output:
        "<results>/published/{experiment}.csv",
    log:
        "<logs>/extract_published/{experiment}.log",
    benchmark:
        "<logs>/extract_published/{experiment}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    shell:
        "python scripts/extract_published.py --published {input.published} --experiment {wildcards.experiment}"
        " --output {output} > {log} 2>&1"


rule compare_with_paper:
    """Every published number beside ours, with a verdict."""
    input:
        published=settings.published or [],
        tables=expand("<results>/tables/{experiment}.csv", experiment=scored_experiments()),
        code=code("compare_with_paper.py"),
    output:
        table=report(
            "<results>/tables/paper_comparison.csv",
            caption="../report/agreement.rst",
            category="Tables",
            labels={"table": "paper_comparison"},
        ),
        markdown="<results>/tables/paper_comparison.md",
    log:
        "<logs>/compare_with_paper.log",
    benchmark:
        "<logs>/compare_with_paper.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    shell:
        "python scripts/compare_with_paper.py --published {input.published} --tables {input.tables}"
        " --output {output.table} --markdown {output.markdown} > {log} 2>&1"


for name in settings.tables:

    rule:
        name:
            name
        input:
            table_files(name),
