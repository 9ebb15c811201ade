"""Figures: from an experiment's table to a PNG and a PDF."""


rule draw_comparison:
    """Models side by side at their last layer, seed by seed."""
    input:
        table=figure_table,
        code=code("draw_comparison.py"),
    output:
        png=report(
            "<figures>/{figure}.png",
            caption="../report/comparison.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{figure}.pdf",
    log:
        "<logs>/draw_comparison/{figure}.log",
    wildcard_constraints:
        figure=figures_drawn_as("comparison"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        pooling=lambda wildcards: settings.figures[wildcards.figure].pooling,
        colors=figure_colors,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_comparison.py --table {input.table} --pooling {params.pooling} {params.colors}"
        " --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_layers:
    """Accuracy by layer, before and after fine-tuning."""
    input:
        table=figure_table,
        code=code("draw_layers.py"),
    output:
        png=report(
            "<figures>/{figure}.png",
            caption="../report/layers.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{figure}.pdf",
    log:
        "<logs>/draw_layers/{figure}.log",
    wildcard_constraints:
        figure=figures_drawn_as("layers"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        pooling=lambda wildcards: settings.figures[wildcards.figure].pooling,
        colors=figure_colors,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_layers.py --table {input.table} --pooling {params.pooling} {params.colors}"
        " --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_losses:
    """Contrastive loss over the optimiser steps of every run."""
    input:
        table=figure_table,
        code=code("draw_losses.py"),
    output:
        png=report(
            "<figures>/{figure}.png",
            caption="../report/losses.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{figure}.pdf",
    log:
        "<logs>/draw_losses/{figure}.log",
    wildcard_constraints:
        figure=figures_drawn_as("losses"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        colors=figure_colors,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_losses.py --table {input.table} {params.colors}"
        " --output {output.png} {output.pdf} > {log} 2>&1"


for name in settings.figures:

    rule:
        name:
            name
        input:
            figure_files(name),
