"""Compute t-SNE maps, clusters and neighbours, and make interactive maps."""


# Jobs of a few seconds, which are not submitted to a cluster.
localrules:
    collect_maps,
    draw_interactive_map,


rule compute_tsne:
    """Compute a t-SNE map of the embeddings of a corpus."""
    input:
        embeddings=scores.embeddings,
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("compute_tsne.py"),
    output:
        "<results>/maps/{corpus}/{model}/{step}/{selection}.parquet",
    log:
        "<logs>/<rule>/{corpus}/{model}/{step}/{selection}.log",
    benchmark:
        "<logs>/<rule>/{corpus}/{model}/{step}/{selection}.tsv"
    pathvars:
        rule="compute_tsne",
    priority: 2
    retries: 2
    conda:
        "../envs/score.yaml"
    threads: settings.threads.score
    resources:
        mem_mb=memory(1000, corpus=8, layer=8),
        runtime=minutes(30, corpus=0.5),
    params:
        computed=flags(settings.tsne),
        threads=settings.threads.score,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --embeddings {input.embeddings} --corpus {input.corpus} {params.computed}"
        " --threads {params.threads} --output {output} > {log} 2>&1"


rule name_clusters:
    """Cluster the embeddings of a corpus and name clusters by their characteristic words."""
    input:
        embeddings=scores.embeddings,
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("name_clusters.py"),
    output:
        clusters="<results>/clusters/{corpus}/{model}/{step}/{selection}.parquet",
        names="<results>/clusters/{corpus}/{model}/{step}/{selection}.csv",
    log:
        "<logs>/name_clusters/{corpus}/{model}/{step}/{selection}.log",
    benchmark:
        "<logs>/name_clusters/{corpus}/{model}/{step}/{selection}.tsv"
    priority: 2
    retries: 2
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000, corpus=8, layer=4),
        runtime=minutes(20, corpus=0.1),
    params:
        clusters=maps.cluster_flags,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --embeddings {input.embeddings} --corpus {input.corpus} {params.clusters}"
        " --output {output.clusters} --names {output.names} > {log} 2>&1"


use rule compute_tsne as find_neighbors with:
    """Find the nearest texts of every text of an interactive map in the embedding space."""
    input:
        embeddings=scores.embeddings,
        corpus="<results>/corpora/{corpus}.parquet",
        code=code("find_neighbors.py"),
    output:
        "<results>/neighbors/{corpus}/{model}/{step}/{selection}.parquet",
    pathvars:
        rule="find_neighbors",
    resources:
        mem_mb=memory(1000, corpus=8, layer=4),
        runtime=minutes(30, corpus=0.5),
    params:
        computed=maps.page_flags("points"),


rule collect_maps:
    """Collect all maps of an experiment in one table."""
    input:
        maps=maps.files,
        code=code("collect_maps.py"),
    output:
        "<results>/tables/{experiment}_maps.parquet",
    log:
        "<logs>/collect_maps/{experiment}.log",
    benchmark:
        "<logs>/collect_maps/{experiment}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        names=maps.names,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --maps {input.maps} {params.names} --output {output} > {log} 2>&1"


rule draw_interactive_map:
    """Make a page with the maps and texts of a corpus."""
    input:
        maps=maps.shown_files,
        corpus="<results>/corpora/{corpus}.parquet",
        clusters=maps.shown_clusters,
        neighbors=maps.shown_neighbors,
        source=maps.color_file,
        code=code("draw_interactive_map.py"),
    output:
        report(
            "<figures>/maps/{corpus}.html",
            caption="../report/interactive_map.rst",
            category="Figures",
            labels=maps.page_label,
        ),
    log:
        "<logs>/draw_interactive_map/{corpus}.log",
    benchmark:
        "<logs>/draw_interactive_map/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(maps.interactive),
    conda:
        "../envs/plot.yaml"
    resources:
        mem_mb=memory(2000, corpus=8, source=20),
        runtime=minutes(10),
    params:
        models=maps.shown_names,
        shown=maps.page_flags("points", "characters"),
        source=file_flags("source"),
        colors=maps.color_flags,
        title=maps.page_title,
        caption=maps.page_caption,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --maps {input.maps} --models {params.models} --corpus {input.corpus}"
        " --clusters {input.clusters} --neighbors {input.neighbors} {params.shown} {params.source} {params.colors} --title {params.title:q}"
        " --output {output} > {log} 2>&1"
