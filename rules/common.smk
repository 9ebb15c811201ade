"""Load the config, and define functions, resources and constraints of wildcards that the rules share."""

import json
import os
import shlex
import sys
from functools import cache
from pathlib import Path
from secrets import token_hex

from snakemake.settings.types import DeploymentMethod
from snakemake.sourcecache import HostingProviderFile


def folder_of_workflow(rules):
    """Return the folder of the Snakefile. If a module names it on a Git host: a clone in the working directory.

    Snakemake fetches single files from a Git host; scripts import each other. The clone is beside the results, so that paths
    of code are the same for every version and an update reruns only what it changes. It has the objects of Snakemake's cache.
    """
    if not isinstance(rules, HostingProviderFile):
        return Path(rules).parent

    from git import Repo

    cached, folder = rules.hosted_repo.repo, Path(".snakemake/selfembed")
    if not folder.exists():
        unfinished = folder.with_name(f"selfembed.{os.getpid()}")
        cached.clone(unfinished.absolute(), shared=True, no_checkout=True)
        unfinished.rename(folder)
    clone, wanted = Repo(folder), cached.commit(rules.ref).hexsha
    if clone.head.commit.hexsha != wanted or not (folder / "scripts").exists():
        clone.git.checkout("--force", "--detach", wanted)
    return folder


# Folder of the scripts, relative to the working directory. That can be another folder than that of the Snakefile, which another
# workflow can import as a module.
folder = folder_of_workflow(workflow.current_basedir)
scripts = os.path.relpath(folder / "scripts")

sys.path.insert(0, os.path.abspath(scripts))

from snakemake.io import _IOFile, sourcecache_entry
from snakemake.logging import logger as snakemake_logger
from snakemake.persistence import PersistenceBase
from snakemake.rules import Rule
from snakemake_interface_storage_plugins.storage_object import StorageObjectRead, StorageObjectWrite

from selfembed.errors import InputError
from selfembed.execution import code as code_files
from selfembed.execution import deletion, failures, image, long_plans, parts, submitted, targets
from selfembed.execution.storage import (
    copy_what_is_beside,
    is_used,
    local_copies,
    name_logs_by_rule,
    taken_from_sources,
)
from selfembed.models import interpolation
from selfembed.settings.encoders import BagOfWords, EmbeddingsOnly, FetchedEncoder
from selfembed.study import expansion
from selfembed.study import files as config_files
from selfembed.study.validation import check_target_names, load, missing_packages, missing_sources
from selfembed.workflow.corpora import Corpora, downloads
from selfembed.workflow.exports import MODEL, Exports
from selfembed.workflow.figures import Figures
from selfembed.workflow.flags import file_flags, flags, named, one_of
from selfembed.workflow.maps import Maps
from selfembed.workflow.models import Models
from selfembed.workflow.report import Report
from selfembed.workflow.resources import JobResources
from selfembed.workflow.scores import Scores, bootstrap
from selfembed.workflow.tables import Claims, Tables

# Changes of Snakemake's own functions: what reruns after an edit, what is deleted, the list of targets, and unknown targets.
code_files.compare_by_syntax(_IOFile, Path(os.path.abspath(scripts)))
parts.leave_out_of_records(PersistenceBase)
deletion.make_complete(workflow)
targets.suggest(workflow, snakemake_logger)

# With a storage for results, jobs find and write them in a folder of local copies, which seals do not name.
in_storage = is_used(workflow)
if in_storage:
    copy_what_is_beside(StorageObjectRead, StorageObjectWrite)
    name_logs_by_rule(Rule)
    os.environ.update(SELFEMBED_LOCAL_COPIES=local_copies(workflow))

# Only download_* rules use the network. Jobs inherit this variable.
os.environ.update(HF_HUB_OFFLINE="1")

# Jobs of this Snakemake process are forks of one warm process, which jobs with an encoder start: scripts/warm/run.py, which
# jobs find by this path.
os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, [os.path.abspath(scripts), os.getenv("PYTHONPATH")])))
deployed_by = workflow.deployment_settings.deployment_method
if DeploymentMethod.APPTAINER in deployed_by:  # the warm process would be part of one container and end with it
    os.environ.update(SELFEMBED_WARM="off")
    image.show_code(workflow, folder)
if os.environ.get("SELFEMBED_WARM") != "off":
    os.environ.update(SELFEMBED_WARM=f"{os.getpid()}-{token_hex(8)}")

if os.path.exists(".snakemake") and not os.access(".snakemake", os.W_OK):
    sys.exit(
        f"error: {os.path.abspath('.snakemake')} cannot be written to; "
        "expected: a working directory of your own (`snakemake --snakefile …/Snakefile --directory FOLDER`)"
    )

try:
    config_files.check(workflow.configfiles)
    settings = load(config)
    study = expansion.expand(settings)
    check_target_names(
        settings,
        taken={"adapt", "all", "claims", "doctor", "download", "embed_part", "published"}
        | {path.stem for path in Path(scripts).glob("*.py")},
    )
    if not workflow.remote_exec:  # a job on a machine without them needs only its own inputs
        missing_sources(settings, texts=not in_storage)
    if not {DeploymentMethod.CONDA, DeploymentMethod.APPTAINER} & set(deployed_by):
        missing_packages(settings)
except InputError as error:
    sys.exit("\n".join(f"config error: {line}" for line in str(error).splitlines()))

targets.list_with_hours(workflow, settings, study)

# Their methods are the input, params and resource functions of the rules.
asked = JobResources(settings)
corpora = Corpora(settings)
models = Models(settings, study)
scores = Scores(settings, study)
maps = Maps(settings, study)
figures = Figures(settings, maps)
tables = Tables(settings, study)
claims = Claims(settings, study)
page = Report(settings, study, models, figures)
exports = Exports(settings, study, page)

memory = asked.memory
minutes = asked.minutes

figures_and_tables = [*figures.all_files(), *tables.all_files(), *claims.pages(), *scores.summaries()]


wildcard_constraints:
    corpus=one_of(settings.corpora),
    encoder=one_of(settings.encoders),
    experiment=one_of(settings.experiments),
    augmentation=one_of(study.pairs),
    recipe=one_of(study.recipes),
    selection=r"[^/]+",
    step=rf"\d+|epoch-\d+|{interpolation.STEP}|final",
    task=one_of(settings.tasks),
    max_length=r"\d+",
    seed=r"\d+",
    epochs=r"\d+",
    export=one_of([MODEL, *exports.names]),
    model=r"base/[a-z0-9_]+(/seed-\d+)?|tuned/[a-z0-9_]+/[a-z0-9_]+/[^/]+/seed-\d+|exports/[a-z0-9_]+",


def subfolder(top):
    """Return the subfolder of this config in a top-level folder of outputs."""
    return f"{top}/{settings.folder}" if settings.folder else top


def intermediate(path):
    """Return an output that, with `keep: results`, is removed as soon as no job of the plan needs it."""
    return temp(path) if settings.keep == "results" else path


def drawn(caption):
    """Return the files of a figure, with its caption in Snakemake's report."""
    shown = {"caption": f"../report/{caption}.rst", "category": "Figures", "labels": figures.label}
    return {"png": report("<figures>/{figure}.png", **shown), "pdf": "<figures>/{figure}.pdf"}


def laid_out(caption):
    """Return the files of a table, with its caption in Snakemake's report."""
    shown = {"caption": f"../report/{caption}.rst", "category": "Tables", "labels": tables.label}
    files = {ending: f"<figures>/{{table}}.{ending}" for ending in ("csv", "tex", "html")}
    return files | {"html": report(files["html"], **shown)}


def code(script):
    """Return an input function: a script and the library files that it imports.

    It is a function so that a cluster job, which starts snakemake, reads only the code of its own rule.
    """
    return from_sources(lambda wildcards: code_of(script))


def from_sources(files):
    """Return an input function: files that are never in a storage, but in the working directory of every job."""
    return taken_from_sources(files, sourcecache_entry) if in_storage else files


@cache
def code_of(script):
    """Return the path of a script, followed by the library files that it imports."""
    path = str(Path(scripts, script))
    return [path, *(file for file in code_files.code(Path(path)) if file != path)]
