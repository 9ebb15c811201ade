"""Import encoders, build base models and fine-tune them."""

if in_storage:  # weights that are read where Snakemake runs

    localrules:
        import_encoder,


rule import_encoder:
    """Copy a pretrained encoder from a local folder or an installed package, and try it out."""
    input:
        source=from_sources(models.encoder_files),
        code=code("import_encoder.py"),
    output:
        directory("<results>/encoders/{encoder}"),
    log:
        "<logs>/import_encoder/{encoder}.log",
    benchmark:
        "<logs>/import_encoder/{encoder}.tsv"
    wildcard_constraints:
        encoder=models.of("folder", "package"),
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=memory(4000, source=6),
        runtime=minutes(10),
    params:
        encoder=models.encoder_flags(omit=("max_length", "prompt")),
    shell:
        "python -m warm.run {input.code[0]} {params.encoder} --output {output} > {log} 2>&1"


rule train_tokenizer:
    """Train the tokenizer of a random encoder on a corpus."""
    input:
        corpus=models.tokenizer_corpus,
        code=code("train_tokenizer.py"),
    output:
        directory("<results>/tokenizers/{encoder}"),
    log:
        "<logs>/train_tokenizer/{encoder}.log",
    benchmark:
        "<logs>/train_tokenizer/{encoder}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=memory(2000, corpus=20),
        runtime=minutes(20, corpus=0.1),
    params:
        tokenizer=models.tokenizer_flags,
    shell:
        "python -m warm.run --if-running"
        " {input.code[0]} --corpus {input.corpus} {params.tokenizer} --output {output} > {log} 2>&1"


rule build_pretrained_model:
    """Build a base model from a pretrained encoder."""
    input:
        encoder="<results>/encoders/{encoder}",
        code=code("build_pretrained_model.py"),
    output:
        directory("<results>/models/base/{encoder}"),
    log:
        "<logs>/build_pretrained_model/{encoder}.log",
    benchmark:
        "<logs>/build_pretrained_model/{encoder}.tsv"
    wildcard_constraints:
        encoder=models.of(FetchedEncoder),
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=memory(4000, encoder=6),
        runtime=minutes(10),
    params:
        encoder=models.encoder_flags(keep=("max_length", "prompt")),
    shell:
        "python -m warm.run"
        " {input.code[0]} --encoder {input.encoder} {params.encoder}"
        " --output {output} > {log} 2>&1"


rule build_random_model:
    """Build a base model from a randomly initialised encoder."""
    input:
        tokenizer=models.tokenizer,
        code=code("build_random_model.py"),
    output:
        directory("<results>/models/base/{encoder}/seed-{seed}"),
    log:
        "<logs>/build_random_model/{encoder}/seed-{seed}.log",
    benchmark:
        "<logs>/build_random_model/{encoder}/seed-{seed}.tsv"
    wildcard_constraints:
        encoder=models.of("random"),
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(10),
    params:
        encoder=models.encoder_flags(omit=("type", "tokenizer")),
    shell:
        "python -m warm.run"
        " {input.code[0]} --tokenizer {input.tokenizer} --name {wildcards.encoder}"
        " {params.encoder} --seed {wildcards.seed} --output {output} > {log} 2>&1"


rule build_embedding_model:
    """Build a base model from the embedding layer or module of another encoder."""
    input:
        base=models.embeddings_owner,
        code=code("build_embedding_model.py"),
    output:
        directory("<results>/models/base/{encoder}{seed_folder}"),
    log:
        "<logs>/build_embedding_model/{encoder}{seed_folder}.log",
    benchmark:
        "<logs>/build_embedding_model/{encoder}{seed_folder}.tsv"
    wildcard_constraints:
        encoder=models.of(EmbeddingsOnly),
        seed_folder=r"|/seed-\d+",
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(10),
    params:
        encoder=models.embeddings_flags,
    shell:
        "python -m warm.run"
        " {input.code[0]} --base {input.base} --name {wildcards.encoder} {params.encoder}"
        " --output {output} > {log} 2>&1"


rule build_word_count_model:
    """Build a base model from another one with word counts beside its vectors."""
    input:
        base=models.counted_base,
        corpus=models.counted_corpus,
        code=code("build_word_count_model.py"),
    output:
        directory("<results>/models/base/{encoder}"),
    log:
        "<logs>/build_word_count_model/{encoder}.log",
    benchmark:
        "<logs>/build_word_count_model/{encoder}.tsv"
    wildcard_constraints:
        encoder=models.of("beside_word_counts"),
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=memory(4000, base=6, corpus=20),
        runtime=minutes(10, corpus=0.1),
    params:
        encoder=models.encoder_flags(omit=("type", "of", "corpus", "layers")),
    shell:
        "python -m warm.run"
        " {input.code[0]} --base {input.base} --corpus {input.corpus} --name {wildcards.encoder}"
        " {params.encoder} --output {output} > {log} 2>&1"


rule build_bag_of_words:
    """Save the settings of a bag of words as a model; it is fitted when it embeds a corpus."""
    input:
        code=code("build_bag_of_words.py"),
    output:
        directory("<results>/models/base/{encoder}"),
    log:
        "<logs>/build_bag_of_words/{encoder}.log",
    benchmark:
        "<logs>/build_bag_of_words/{encoder}.tsv"
    wildcard_constraints:
        encoder=models.of(BagOfWords),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        encoder=models.encoder_flags(),
    shell:
        "python -m warm.run --if-running {input.code[0]} {params.encoder} --output {output} > {log} 2>&1"


rule fine_tune:
    """Fine-tune a base model with a contrastive loss on the pairs of a corpus."""
    input:
        base=models.run_base,
        pairs=models.run_pairs(".parquet"),
        pairs_settings=models.run_pairs(".json"),
        code=code("fine_tune.py"),
    output:
        run=intermediate(directory("<results>/models/tuned/{corpus}/{encoder}/{recipe}/seed-{seed}")),
        record=directory("<results>/runs/{corpus}/{encoder}/{recipe}/seed-{seed}"),
    log:
        "<logs>/fine_tune/{corpus}/{encoder}/{recipe}/seed-{seed}.log",
    benchmark:
        "<logs>/fine_tune/{corpus}/{encoder}/{recipe}/seed-{seed}.tsv"
    retries: 2
    conda:
        "../envs/train.yaml"
    threads: settings.threads.fine_tune * settings.devices_per_run
    resources:
        mem_mb=asked.memory_of_run(6000, base=8, pairs=12),
        runtime=minutes(60, pairs=2),
        gpu=asked.gpus_of_run,
        # Resources, because changed params would rerun the rule.
        checkpoint_minutes=10,
        may_diverge=models.run_may_diverge,
        launcher="local",
    params:
        recipe=models.run_flags,
        device=asked.device,
        tracker=asked.tracker,
        devices=settings.devices_per_run,
        threads=settings.threads.fine_tune,
    shell:
        "python -m warm.run"
        " {input.code[0]} --base {input.base} --pairs {input.pairs} --pairs-settings {input.pairs_settings}"
        " --name {wildcards.corpus}/{wildcards.encoder}/{wildcards.recipe}/seed-{wildcards.seed} {params.recipe}"
        " --seed {wildcards.seed} --device {params.device} --devices {params.devices} --threads {params.threads}"
        " --checkpoint-minutes {resources.checkpoint_minutes} --may-diverge {resources.may_diverge}"
        " --report-to {params.tracker} --log {log} --launcher {resources.launcher:q}"
        " --output {output.run} --record {output.record} > {log} 2>&1"
