"""Scores, and their collection into one table per experiment."""


rule score_knn:
    """Nearest-neighbour accuracy of every embedded layer and pooling of one model on one corpus."""
    input:
        embeddings="<results>/embeddings/{corpus}/{model}/{step}/{selection}",
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("score_knn.py"),
    output:
        "<results>/scores/knn/{corpus}/{model}/{step}/{selection}.csv",
    log:
        "<logs>/score_knn/{corpus}/{model}/{step}/{selection}.log",
    benchmark:
        "<logs>/score_knn/{corpus}/{model}/{step}/{selection}.tsv"
    conda:
        "../envs/score.yaml"
    threads: settings.threads.score
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        knn=f"{flags(settings.knn)} --threads {settings.threads.score}",
    shell:
        "python scripts/score_knn.py --embeddings {input.embeddings} --corpus {input.corpus} --model {wildcards.model}"
        " --step {wildcards.step} {params.knn} --output {output} > {log} 2>&1"


rule collect_scores:
    """All scores of an experiment in one tidy table."""
    input:
        scores=score_files,
        code=code("collect_scores.py"),
    output:
        "<results>/tables/{experiment}.csv",
    log:
        "<logs>/collect_scores/{experiment}.log",
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        labels=score_labels,
    shell:
        "python scripts/collect_scores.py --scores {input.scores} --labels {params.labels}"
        " --output {output} > {log} 2>&1"


rule summarise_scores:
    """An experiment's scores over seeds: mean, standard deviation, standard error."""
    input:
        table="<results>/tables/{experiment}.csv",
        code=code("summarise_scores.py"),
    output:
        table=report(
            "<results>/tables/{experiment}_summary.csv",
            caption="../report/summary.rst",
            category="Tables",
            labels={"experiment": "{experiment}"},
        ),
        markdown="<results>/tables/{experiment}_summary.md",
    log:
        "<logs>/summarise_scores/{experiment}.log",
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "python scripts/summarise_scores.py --table {input.table} --output {output.table}"
        " --markdown {output.markdown} > {log} 2>&1"


rule collect_losses:
    """The loss histories of an experiment's runs in one tidy table."""
    input:
        runs=run_folders,
        code=code("collect_losses.py"),
    output:
        "<results>/tables/{experiment}_losses.csv",
    log:
        "<logs>/collect_losses/{experiment}.log",
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        names=run_names,
    shell:
        "python scripts/collect_losses.py --runs {input.runs} {params.names} --output {output} > {log} 2>&1"
