"""Compute scores and collect them into one table per experiment."""


# Jobs of a few seconds, which are not submitted to a cluster.
localrules:
    collect_scores,
    summarise_scores,
    collect_losses,


# Other scores of corpora inherit the command, which runs the first file of `code`.
rule score_knn:
    """Compute the nearest-neighbour accuracy of every layer and pooling of one model on one corpus."""
    input:
        embeddings=scores.embeddings,
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("score_knn.py"),
    output:
        scores="<results>/scores/{score}/{corpus}/{model}/{step}/{selection}.csv",
        outcomes="<results>/scores/{score}/{corpus}/{model}/{step}/{selection}.parquet",
    log:
        "<logs>/<rule>/{score}/{corpus}/{model}/{step}/{selection}.log",
    benchmark:
        "<logs>/<rule>/{score}/{corpus}/{model}/{step}/{selection}.tsv"
    pathvars:
        rule="score_knn",
    wildcard_constraints:
        score=named(settings.scores, "knn"),
    priority: 2
    retries: 2
    group:
        lambda wildcards: scores.group(wildcards) if workflow.group_settings.overwrite_groups else None
    conda:
        "../envs/score.yaml"
    threads: settings.threads.score
    resources:
        mem_mb=memory(1000, corpus=8, layer=5),
        runtime=minutes(20, embeddings=0.02),
    params:
        score=scores.score_flags,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --embeddings {input.embeddings} --corpus {input.corpus} --model {wildcards.model}"
        " --step {wildcards.step} {params.score} --output {output.scores} --outcomes {output.outcomes} > {log} 2>&1"


use rule score_knn as score_linear with:
    """Compute the accuracy of a linear probe for every layer and pooling of one model on one corpus."""
    input:
        embeddings=scores.embeddings,
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("score_linear.py"),
    pathvars:
        rule="score_linear",
    wildcard_constraints:
        score=named(settings.scores, "linear"),
    resources:
        mem_mb=memory(1000, corpus=8, layer=6),
        runtime=minutes(30, embeddings=0.2),


use rule score_knn as score_crop_pairs with:
    """Score the retrieval of second crops for every layer and pooling of one model."""
    input:
        embeddings=scores.embeddings,
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("score_crop_pairs.py"),
    pathvars:
        rule="score_crop_pairs",
    wildcard_constraints:
        score=named(settings.scores, "crop_pairs"),


use rule score_knn as score_title_pairs with:
    """Score the retrieval of texts by titles, and of titles by texts, for every layer and pooling of one model."""
    input:
        embeddings=scores.embeddings,
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("score_title_pairs.py"),
    pathvars:
        rule="score_title_pairs",
    wildcard_constraints:
        score=named(settings.scores, "title_pairs"),


rule score_mteb:
    """Score one model on all MTEB tasks, layers and poolings of the study, with one embedding of every text."""
    input:
        model="<results>/models/{model}",
        data=from_sources(scores.benchmark_data),
        code=code("score_mteb.py"),
    output:
        "<results>/scores/mteb/{model}/{step}/{max_length}.csv",
    log:
        "<logs>/score_mteb/{model}/{step}/{max_length}.log",
    benchmark:
        "<logs>/score_mteb/{model}/{step}/{max_length}.tsv"
    priority: 1
    retries: 2
    conda:
        "../envs/mteb.yaml"
    threads: settings.threads.embed
    resources:
        mem_mb=memory(6000, task=30),
        runtime=minutes(60, data=1),
        gpu=asked.gpus_for_encoder,
    params:
        tasks=scores.benchmark_flags,
        device=asked.device,
        threads=settings.threads.embed,
    shell:
        "python -m warm.run"
        " {input.code[0]} --model {input.model}/{wildcards.step} --path {wildcards.model}"
        " --step {wildcards.step} {params.tasks} --device {params.device} --threads {params.threads}"
        " --output {output} > {log} 2>&1"


rule collect_scores:
    """Collect all scores of an experiment in one tidy table."""
    input:
        scores=scores.files,
        code=code("collect_scores.py"),
    output:
        "<results>/tables/{experiment}.csv",
    log:
        "<logs>/<rule>/{experiment}.log",
    benchmark:
        "<logs>/<rule>/{experiment}.tsv"
    pathvars:
        rule="collect_scores",
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        entries=scores.entries,
    shell:
        "python -m warm.run --if-running {input.code[0]} {params.entries} --output {output} > {log} 2>&1"


rule summarise_scores:
    """Compute mean, standard deviation and standard error over seeds."""
    input:
        table="<results>/tables/{experiment}.csv",
        code=code("summarise_scores.py"),
    output:
        table="<results>/tables/{experiment}_summary.csv",
        markdown="<results>/tables/{experiment}_summary.md",
        page=report(
            "<results>/tables/{experiment}_summary.html",
            caption="../report/summary.rst",
            category="Tables",
            labels={"table": "Scores of {experiment}"},
        ),
    log:
        "<logs>/summarise_scores/{experiment}.log",
    benchmark:
        "<logs>/summarise_scores/{experiment}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        measures=scores.measures,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --table {input.table} {params.measures} --output {output.table}"
        " --markdown {output.markdown} --page {output.page} > {log} 2>&1"


use rule collect_scores as collect_losses with:
    """Collect the loss histories of an experiment in one tidy table."""
    input:
        records=scores.run_records,
        code=code("collect_losses.py"),
    output:
        "<results>/tables/{experiment}_losses.csv",
    pathvars:
        rule="collect_losses",
    params:
        entries=scores.run_entries,
