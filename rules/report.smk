"""Save the adapted model of a corpus and write a report."""


# Jobs of a few seconds, which are not submitted to a cluster.
localrules:
    package_model,
    write_report,


rule package_model:
    """Save the adapted model with a model card."""
    input:
        unpack(page.account),
        run=page.run,
        code=code("package_model.py"),
    output:
        directory("<results>/adapted_model"),
    log:
        "<logs>/package_model.log",
    benchmark:
        "<logs>/package_model.tsv"
    priority: 2
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        account=page.account_flags,
        step=page.step,
        base_model=page.base_model_flag,
    shell:
        "python scripts/warm/run.py --if-running"
        " scripts/package_model.py {params.account} --model {input.run}/{params.step} {params.base_model}"
        " --output {output} > {log} 2>&1"


rule write_report:
    """Write a report on the adaptation of a model to a corpus."""
    input:
        unpack(page.account),
        model="<results>/adapted_model",
        crops=page.crops,
        figures=page.figures,
        maps=page.maps,
        code=code("write_report.py"),
    output:
        "<results>/report.html",
    log:
        "<logs>/write_report.log",
    benchmark:
        "<logs>/write_report.tsv"
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        account=page.account_flags,
        title=page.title,
        files=file_flags("crops", "maps"),
        figures=page.entries,
    shell:
        "python scripts/write_report.py {params.account} --title {params.title:q} --model {input.model} {params.files}"
        " {params.figures} --output {output} > {log} 2>&1"
