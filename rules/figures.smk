"""Figures: from tables to a PNG and a PDF. A figure called `published/…` is drawn from the published numbers."""


# Seconds each, in a moment when nothing else can run: not worth a place in a queue.
localrules:
    draw_comparison,
    draw_layers,
    draw_losses,
    draw_benchmark_steps,
    draw_maps,
    draw_interactive_map,
    draw_adaptation,
    draw_depth,
    draw_hyperparameters,
    draw_before_after,
    draw_classes,
    draw_agreement,


rule draw_comparison:
    """Models side by side at their last layer, seed by seed."""
    input:
        table=experiment_table(),
        published=published_table(),
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
    benchmark:
        "<logs>/draw_comparison/{figure}.tsv"
    wildcard_constraints:
        figure=figures_drawn_as("comparison"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        shown=figure_flags("pooling", "score"),
        published=published_flag,
        colors=figure_colors,
        measures=figure_measures,
        measured=figure_measured,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_comparison.py --table {input.table} {params.shown} {params.published} {params.colors}"
        " {params.measures} --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_layers:
    """Accuracy by layer, before and after fine-tuning."""
    input:
        table=experiment_table(),
        published=published_table(),
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
    benchmark:
        "<logs>/draw_layers/{figure}.tsv"
    wildcard_constraints:
        figure=figures_drawn_as("layers"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        shown=figure_flags("pooling", "score", "free_y"),
        published=published_flag,
        colors=figure_colors,
        measures=figure_measures,
        measured=figure_measured,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_layers.py --table {input.table} {params.shown} {params.published} {params.colors}"
        " {params.measures} --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_losses:
    """Contrastive loss over the optimiser steps of every run."""
    input:
        table=experiment_table(suffix="_losses"),
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
    benchmark:
        "<logs>/draw_losses/{figure}.tsv"
    wildcard_constraints:
        figure=figures_drawn_as("losses"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        colors=figure_colors,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_losses.py --table {input.table} {params.colors}"
        " --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_benchmark_steps:
    """MTEB blocks over the optimiser steps of runs."""
    input:
        table=experiment_table(),
        published=published_table(),
        code=code("draw_benchmark_steps.py"),
    output:
        png=report(
            "<figures>/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{figure}.pdf",
    log:
        "<logs>/draw_benchmark_steps/{figure}.log",
    benchmark:
        "<logs>/draw_benchmark_steps/{figure}.tsv"
    wildcard_constraints:
        figure=figures_drawn_as("benchmark_steps"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        published=published_flag,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_benchmark_steps.py --table {input.table} {params.published}"
        " --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_maps:
    """T-SNE maps, a row per model and a column per corpus."""
    input:
        maps=experiment_maps,
        table=corner_table,
        clusters=clusters_without_labels,
        code=code("draw_maps.py"),
    output:
        png=report(
            "<figures>/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{figure}.pdf",
    log:
        "<logs>/draw_maps/{figure}.log",
    benchmark:
        "<logs>/draw_maps/{figure}.tsv"
    wildcard_constraints:
        figure=figures_drawn_as("maps"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        shown=figure_flags("pooling", "score"),
        table=lambda wildcards, input: f"--table {input.table}" if input.table else "",
        clusters=cluster_entries,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_maps.py --maps {input.maps} {params.table} {params.shown} {params.clusters}"
        " --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_interactive_map:
    """A corpus as a page: the map of every model, with its texts."""
    input:
        maps=shown_map_files,
        corpus="<results>/corpora/{corpus}.parquet",
        clusters=shown_clusters,
        code=code("draw_interactive_map.py"),
    output:
        report(
            "<figures>/maps/{corpus}.html",
            caption="../report/interactive_map.rst",
            category="Figures",
            labels={"figure": "map of {corpus}"},
        ),
    log:
        "<logs>/draw_interactive_map/{corpus}.log",
    benchmark:
        "<logs>/draw_interactive_map/{corpus}.tsv"
    wildcard_constraints:
        corpus="|".join(interactive_maps()) or "none-of-this-kind",
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000, corpus=8),
        runtime=minutes(10),
    params:
        models=shown_map_names,
        shown=lambda wildcards: flags(interactive_maps()[wildcards.corpus], keep=("points", "characters")),
        title=lambda wildcards: interactive_maps()[wildcards.corpus].title or f"Map of {wildcards.corpus}",
        caption=lambda wildcards: interactive_maps()[wildcards.corpus].caption,
    shell:
        "python scripts/draw_interactive_map.py --maps {input.maps} {params.models} --corpus {input.corpus}"
        " --clusters {input.clusters} {params.shown} --title {params.title:q}"
        " --output {output} > {log} 2>&1"


rule draw_adaptation:
    """Accuracy on one corpus over the optimiser steps of runs on several."""
    input:
        table=experiment_table(),
        published=published_table(),
        code=code("draw_adaptation.py"),
    output:
        png=report(
            "<figures>/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{figure}.pdf",
    log:
        "<logs>/draw_adaptation/{figure}.log",
    benchmark:
        "<logs>/draw_adaptation/{figure}.tsv"
    wildcard_constraints:
        figure=figures_drawn_as("adaptation"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        shown=figure_flags("pooling", "score", "reference", "shifted", "shift_step"),
        published=published_flag,
        measures=figure_measures,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_adaptation.py --table {input.table} {params.shown} {params.published}"
        " {params.measures} --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_depth:
    """Frozen layers, accuracy by layer, MTEB by layer."""
    input:
        freezing=experiment_table("freezing"),
        layers=experiment_table("layers"),
        benchmark=experiment_table("benchmark"),
        published_freezing=published_table("freezing"),
        published_layers=published_table("layers"),
        published_benchmark=published_table("benchmark"),
        code=code("draw_depth.py"),
    output:
        png=report(
            "<figures>/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{figure}.pdf",
    log:
        "<logs>/draw_depth/{figure}.log",
    benchmark:
        "<logs>/draw_depth/{figure}.tsv"
    wildcard_constraints:
        figure=figures_drawn_as("depth"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        tables=table_flags_of_roles,
        measures=figure_measures,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_depth.py {params.tables} {params.measures}"
        " --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_hyperparameters:
    """Sweeps of temperature, sentences, mask fraction and learning rate."""
    input:
        temperature=experiment_table("temperature"),
        sentences=experiment_table("sentences"),
        masking=experiment_table("masking"),
        learning_rate=experiment_table("learning_rate"),
        published_temperature=published_table("temperature"),
        published_sentences=published_table("sentences"),
        published_masking=published_table("masking"),
        published_learning_rate=published_table("learning_rate"),
        code=code("draw_hyperparameters.py"),
    output:
        png=report(
            "<figures>/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{figure}.pdf",
    log:
        "<logs>/draw_hyperparameters/{figure}.log",
    benchmark:
        "<logs>/draw_hyperparameters/{figure}.tsv"
    wildcard_constraints:
        figure=figures_drawn_as("hyperparameters"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        tables=table_flags_of_roles,
        measures=figure_measures,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_hyperparameters.py {params.tables} {params.measures}"
        " --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_before_after:
    """An arrow per encoder, from before fine-tuning to after."""
    input:
        table=experiment_table(),
        published=published_table(),
        code=code("draw_before_after.py"),
    output:
        png=report(
            "<figures>/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{figure}.pdf",
    log:
        "<logs>/draw_before_after/{figure}.log",
    benchmark:
        "<logs>/draw_before_after/{figure}.tsv"
    wildcard_constraints:
        figure=figures_drawn_as("before_after"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        shown=figure_flags("pooling", "score"),
        published=published_flag,
        measures=figure_measures,
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_before_after.py --table {input.table} {params.shown} {params.published}"
        " {params.measures} --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_classes:
    """Sizes of the classes of corpora."""
    input:
        classes=class_sizes,
        code=code("draw_classes.py"),
    output:
        png=report(
            "<figures>/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{figure}.pdf",
    log:
        "<logs>/draw_classes/{figure}.log",
    benchmark:
        "<logs>/draw_classes/{figure}.tsv"
    wildcard_constraints:
        figure=figures_drawn_as("classes"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        title=figure_title,
        caption=figure_caption,
    shell:
        "python scripts/draw_classes.py --classes {input.classes}" " --output {output.png} {output.pdf} > {log} 2>&1"


rule draw_agreement:
    """Published numbers against reproduced ones, all of them."""
    input:
        comparison="<results>/tables/paper_comparison.csv",
        code=code("draw_agreement.py"),
    output:
        png=report(
            "<figures>/paper_comparison.png",
            caption="../report/agreement.rst",
            category="Figures",
            labels={"figure": "paper_comparison"},
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
        "python scripts/draw_agreement.py --comparison {input.comparison}"
        " --output {output.png} {output.pdf} > {log} 2>&1"


for name in settings.figures:

    rule:
        name:
            name
        input:
            figure_files(name),
