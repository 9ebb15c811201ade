"""selfembed: from raw text to final figure. See README.md; every key of the config is in docs/configuration.md."""

from snakemake.utils import min_version

min_version("9.27")


report: "report/workflow.rst"


if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


include: "rules/common.smk"


pathvars:
    results=subfolder("results"),
    figures=subfolder("figures"),
    logs=subfolder("logs"),


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
include: "rules/report.smk"


rule all:
    """Every figure and table of the config, and its report."""
    default_target: True
    input:
        figures_and_tables,
        page.files(),


rule adapt:
    """The same, for texts of one's own: models, evidence and maps."""
    input:
        rules.all.input,


rule claims:
    """The claims of the config, each with its verdict."""
    input:
        claims.pages(),


rule download:
    """Everything that the config names from the network; after it, no job needs one."""
    input:
        downloads(settings),


rule published:
    """The figures of the config whose numbers were published, and its claims, from these numbers alone."""
    input:
        figures.published_files(),
        claims.pages("published/claims"),
