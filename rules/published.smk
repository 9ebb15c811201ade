"""Extract published numbers and compare them with the results."""


# Jobs of a few seconds, which are not submitted to a cluster.
localrules:
    extract_published,
    compare_with_paper,
    draw_agreement,


rule extract_published:
    """Extract the published numbers of one experiment."""
    input:
        published=from_sources(claims.published),
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
        "python -m warm.run --if-running"
        " {input.code[0]} --published {input.published} --experiment {wildcards.experiment}"
        " --output {output} > {log} 2>&1"


rule compare_with_paper:
    """Compare every published number with the result and give a verdict."""
    input:
        published=from_sources(claims.published),
        tables=expand("<results>/tables/{experiment}.csv", experiment=scores.experiments()),
        code=code("compare_with_paper.py"),
    output:
        table="<results>/tables/paper_comparison.csv",
        markdown="<results>/tables/paper_comparison.md",
        page=report(
            "<results>/tables/paper_comparison.html",
            caption="../report/agreement.rst",
            category="Tables",
            labels={"table": "Paper and reproduction"},
        ),
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
        "python -m warm.run --if-running"
        " {input.code[0]} --published {input.published} --tables {input.tables}"
        " --output {output.table} --markdown {output.markdown} --page {output.page} > {log} 2>&1"


rule draw_agreement:
    """Draw all reproduced numbers over published numbers."""
    input:
        comparison="<results>/tables/paper_comparison.csv",
        code=code("draw_agreement.py"),
    output:
        png=report(
            "<figures>/paper_comparison.png",
            caption="../report/agreement.rst",
            category="Figures",
            labels={"figure": "Paper and reproduction"},
        ),
        pdf="<figures>/paper_comparison.pdf",
    log:
        "<logs>/draw_agreement.log",
    benchmark:
        "<logs>/draw_agreement.tsv"
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --comparison {input.comparison}"
        " --output {output.png} {output.pdf} > {log} 2>&1"
