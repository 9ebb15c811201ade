"""Decide claims by scores; `published/claims` uses only published numbers."""


# A job of a few seconds, which is not submitted to a cluster.
localrules:
    judge_claims,


rule judge_claims:
    """Decide each claim of the config by scores and their confidence intervals."""
    input:
        scores=claims.scores,
        outcomes=claims.outcomes,
        published=from_sources(claims.published),
        code=code("judge_claims.py"),
    output:
        csv="<figures>/{claims}.csv",
        markdown="<figures>/{claims}.md",
        tex="<figures>/{claims}.tex",
        html=report(
            "<figures>/{claims}.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"page": "which claims hold"},
        ),
    log:
        "<logs>/judge_claims/{claims}.log",
    benchmark:
        "<logs>/judge_claims/{claims}.tsv"
    wildcard_constraints:
        claims="(published/)?claims",
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        claims=claims.described(),
        entries=claims.entries,
        published=file_flags("published"),
        bootstrap=bootstrap(),
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --claims {params.claims:q} {params.entries} {params.published} {params.bootstrap}"
        " --output {output.csv} {output.markdown} {output.tex} {output.html} > {log} 2>&1"
