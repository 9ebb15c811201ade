"""The workflow of selfembed, from raw texts to figures. See README.md; docs/configuration.md lists all config keys."""

from snakemake.utils import min_version

min_version("9.27")


report: "report/workflow.rst"


if not workflow.configfiles:

    configfile: "config.yaml"


include: "rules/common.smk"


container: image.IMAGE


pathvars:
    results=subfolder("results"),
    figures=subfolder("figures"),
    logs=subfolder("logs"),


include: "rules/downloads.smk"
include: "rules/corpora.smk"
include: "rules/pairs.smk"
include: "rules/models.smk"
include: "rules/embeddings.smk"
include: "rules/scores.smk"
include: "rules/maps.smk"
include: "rules/claims.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/published.smk"
include: "rules/exports.smk"
include: "rules/report.smk"


onstart:
    long_plans.refuse(workflow, settings, study)
    submitted.keep_config(workflow, config)
    # Because of its limit of jobs started per second, Snakemake (9.27) looks for jobs to start again a second after every
    # look, also if a job has ended meanwhile: after hundreds of jobs, hundreds of times a second. Without the limit, it
    # looks when a job ends.
    workflow.scheduler.job_rate_limiter = None


onerror:
    print("\n".join(failures.summary(workflow)), file=sys.stderr)


rule all:
    """Make all figures and tables of the config, and its report."""
    default_target: True
    input:
        figures_and_tables,
        page.files(),
        exports.files(),


rule adapt:
    """Make the same as `all`, for a config for your own texts."""
    input:
        rules.all.input,


rule claims:
    """Decide all claims of the config."""
    input:
        claims.pages(),


rule download:
    """Download all data and weights of the config; other rules need no network."""
    input:
        downloads(settings),


rule published:
    """Draw figures and decide claims of the config from published numbers."""
    input:
        figures.published_files(),
        claims.pages("published/claims"),


localrules:
    doctor,


rule doctor:
    """Check the config on this machine before a long run; `selfembed doctor` does the same."""
    log:
        "<logs>/doctor.log",
    conda:
        "envs/mteb.yaml"
    params:
        scripts=scripts,
        files=shlex.join(map(str, workflow.configfiles)),
        replaced=json.dumps(dict(workflow.config_settings.config)),
    shell:
        "PYTHONPATH={params.scripts} python -m selfembed doctor --configfile {params.files} --config {params.replaced:q} 2> {log}"
