"""Claims judged by scores. `published/claims` is made from the published numbers alone."""

import json

from selfembed.settings import claimed


# Seconds, in a moment when nothing else can run: not worth a place in a queue.
localrules:
    judge_claims,


def claim_evaluations(wildcards):
    """The evaluations that claims are judged by, by experiment; none from published numbers alone."""
    return {} if wildcards.claims.startswith("published/") else claimed.needed(settings, study)


def claim_scores(wildcards):
    """The score files that claims are judged by."""
    found = claim_evaluations(wildcards).values()
    return [f"<results>/scores/{item.path}.csv" for items in found for item in items]


def claim_outcomes(wildcards):
    """What every text adds to the scores on corpora that claims are judged by."""
    found = claim_evaluations(wildcards).values()
    return [f"<results>/scores/{item.path}.parquet" for items in found for item in items if item.on in settings.corpora]


def claim_entries(wildcards, input):
    """Every experiment and label with the score files that claims are judged by, as flags."""
    paths = iter(input.scores)
    files = {}
    for experiment, items in claim_evaluations(wildcards).items():
        for item in items:
            files.setdefault((experiment, item.line.label), []).append(next(paths))
    return " ".join(f"--entry {shlex.join(names)} {' '.join(braced(found))}" for names, found in files.items())


def claim_pages(claims="claims"):
    """The files with the judged claims; none if the config has no claims."""
    return [f"<figures>/{claims}.{ending}" for ending in ("csv", "md", "tex", "html")] if settings.claims else []


rule judge_claims:
    """Whether each claim of the config holds, by scores and their intervals."""
    input:
        scores=claim_scores,
        outcomes=claim_outcomes,
        published=settings.published or [],
        code=code("judge_claims.py"),
    output:
        csv="<figures>/{claims}.csv",
        markdown="<figures>/{claims}.md",
        tex="<figures>/{claims}.tex",
        html=report(
            "<figures>/{claims}.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"page": "{claims}"},
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
        claims=json.dumps(claimed.described(settings, study), ensure_ascii=False),
        entries=claim_entries,
        published=published_flag,
    shell:
        "python scripts/judge_claims.py --claims {params.claims:q} {params.entries} {params.published}"
        " --output {output.csv} {output.markdown} {output.tex} {output.html} > {log} 2>&1"
