"""Draw figures from tables, as PNG and PDF; figures named `published/…` are drawn from published numbers."""

from selfembed.settings.figures import DepthFigure, HyperparametersFigure


localrules:
    draw_before_after,
    draw_comparison,
    draw_layers,
    draw_losses,
    draw_benchmark_steps,
    draw_maps,
    draw_adaptation,
    draw_depth,
    draw_hyperparameters,
    draw_classes,


# Other figures inherit the command, which runs the first file of `code`. Its flags are the params `tables` (inputs by name),
# `shown` (settings), `labels` (colours, or clusters of corpora) and `measures`.
rule draw_before_after:
    """Draw an arrow per encoder, from its score before to its score after fine-tuning."""
    input:
        table=figures.table(),
        published=figures.published(),
        code=code("draw_before_after.py"),
    output:
        **drawn("figure"),
    log:
        "<logs>/<rule>/{figure}.log",
    benchmark:
        "<logs>/<rule>/{figure}.tsv"
    pathvars:
        rule="draw_before_after",
    wildcard_constraints:
        figure=figures.drawn_as("before_after"),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        tables=file_flags("table", "published"),
        shown=figures.flags("pooling", "score"),
        labels="",
        measures=figures.measures,
        title=figures.title,
        caption=figures.caption,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} {params.tables} {params.shown} {params.labels} {params.measures}"
        " --output {output.png} {output.pdf} > {log} 2>&1"


use rule draw_before_after as draw_comparison with:
    """Draw scores of the last layer of several models, for each seed."""
    input:
        table=figures.table(),
        published=figures.published(),
        code=code("draw_comparison.py"),
    output:
        **drawn("comparison"),
    pathvars:
        rule="draw_comparison",
    wildcard_constraints:
        figure=figures.drawn_as("comparison"),
    params:
        labels=figures.colors,
        measured=figures.measured,


use rule draw_before_after as draw_layers with:
    """Draw accuracy by layer, before and after fine-tuning."""
    input:
        table=figures.table(),
        published=figures.published(),
        code=code("draw_layers.py"),
    output:
        **drawn("layers"),
    pathvars:
        rule="draw_layers",
    wildcard_constraints:
        figure=figures.drawn_as("layers"),
    params:
        shown=figures.flags("pooling", "score", "free_y"),
        labels=figures.colors,
        measured=figures.measured,


use rule draw_before_after as draw_losses with:
    """Draw the contrastive loss over the optimiser steps of every run."""
    input:
        table=figures.table(suffix="_losses"),
        code=code("draw_losses.py"),
    output:
        **drawn("losses"),
    pathvars:
        rule="draw_losses",
    wildcard_constraints:
        figure=figures.drawn_as("losses"),
    params:
        tables=file_flags("table"),
        shown="",
        labels=figures.colors,
        measures="",


use rule draw_before_after as draw_benchmark_steps with:
    """Draw scores of MTEB blocks over the optimiser steps of runs."""
    input:
        table=figures.table(),
        published=figures.published(),
        code=code("draw_benchmark_steps.py"),
    pathvars:
        rule="draw_benchmark_steps",
    wildcard_constraints:
        figure=figures.drawn_as("benchmark_steps"),
    params:
        shown="",
        measures="",


use rule draw_before_after as draw_adaptation with:
    """Draw accuracy on one corpus over the optimiser steps of runs on several corpora."""
    input:
        table=figures.table(),
        published=figures.published(),
        code=code("draw_adaptation.py"),
    pathvars:
        rule="draw_adaptation",
    wildcard_constraints:
        figure=figures.drawn_as("adaptation"),
    params:
        shown=figures.flags("pooling", "score", "reference", "shifted", "shift_step"),


use rule draw_before_after as draw_maps with:
    """Draw t-SNE maps, with a row per model and a column per corpus."""
    input:
        maps=figures.map_table,
        table=figures.corner_table,
        clusters=figures.clusters,
        code=code("draw_maps.py"),
    pathvars:
        rule="draw_maps",
    wildcard_constraints:
        figure=figures.drawn_as("maps"),
    params:
        tables=file_flags("maps", "table"),
        labels=figures.cluster_entries,
        measures="",


use rule draw_before_after as draw_depth with:
    """Draw accuracy by number of trained layers, accuracy by layer and MTEB by layer."""
    input:
        **figures.tables(DepthFigure),
        code=code("draw_depth.py"),
    pathvars:
        rule="draw_depth",
    wildcard_constraints:
        figure=figures.drawn_as("depth"),
    params:
        tables=file_flags(*figures.tables(DepthFigure)),
        shown="",


use rule draw_before_after as draw_hyperparameters with:
    """Draw sweeps of temperature, sentences, mask fraction and learning rate."""
    input:
        **figures.tables(HyperparametersFigure),
        code=code("draw_hyperparameters.py"),
    pathvars:
        rule="draw_hyperparameters",
    wildcard_constraints:
        figure=figures.drawn_as("hyperparameters"),
    params:
        tables=file_flags(*figures.tables(HyperparametersFigure)),
        shown="",


use rule draw_before_after as draw_classes with:
    """Draw the class sizes of corpora."""
    input:
        classes=figures.class_sizes,
        code=code("draw_classes.py"),
    pathvars:
        rule="draw_classes",
    wildcard_constraints:
        figure=figures.drawn_as("classes"),
    params:
        tables=file_flags("classes"),
        shown="",
        measures="",


# Every table and figure is a target by its name.
for shown, files in ((settings.tables, tables.files), (settings.figures, figures.files)):
    for name, item in shown.items():

        rule:
            name:
                name
            input:
                files(name),

        targets.describe(workflow, name, item)
