"""The file of a proposed config, `my_NAME.yaml`. An edited file is not overwritten."""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from selfembed.errors import InputError
from selfembed.jobs.command_line import exit_status, log
from selfembed.models import own_modules
from selfembed.proposals import hub_texts, proposals, proposed_config
from selfembed.proposals.base_encoder import MINILM, encoder_from, name_from
from selfembed.proposals.summary import summary
from selfembed.study import files
from selfembed.texts.file_formats import without_compression

MARK = "# Unedited as long as the lines above have the SHA-256 "

# Lines of the answer that are printed; the report has all.
ANSWER = 5

# Reserved names: folders in results/, and configs of the project.
TAKEN = {
    *("clusters", "corpora", "descriptions", "embeddings", "encoders", "maps", "models", "pairs", "published"),
    *("scores", "sources", "tables", "tasks", "tokenizers", "demo", "iclr_part", "own_texts", "smoke"),
}


def propose(texts: Path | str, name: str | None = None, encoder: str | None = None, **choices: Any) -> Path:
    """Write a config for texts, or keep the existing one if it was edited; return its path.

    Args:
        texts: a file, a folder of .txt or .md files, or a data set on the hub (`hf://owner/name`).
        name: name of the config and its results; by default, from the name of the file.
        encoder: a repository of the Hugging Face hub, or a folder; all-MiniLM-L6-v2 by default.
        choices: other arguments of `proposals.propose`.

    Raises InputError if the name is reserved, or if a config of that name is for other texts.
    """
    if name in TAKEN:
        raise InputError(f"the name '{name}' is reserved by the workflow; expected: another NAME")
    name = name or free_name(name_from(stem(texts)))
    output = Path(f"my_{name}.yaml")
    if output.exists() and is_kept(output, texts):
        log.info(
            "%s was edited and is not overwritten; other options are ignored. Delete it for a new proposal", output
        )
        return output
    with tempfile.TemporaryDirectory() as folder:
        found = encoder_from(encoder, partial(fetch_config, Path(folder))) if encoder else MINILM
        proposal = proposals.propose(name, texts, encoder=found, **choices)
    config = proposed_config.render(proposal, files.adapt_command(output))
    for line in summary(proposal):
        log.info("%s", line)
    write(config, output)
    return output


def stem(texts: Path | str) -> str:
    """Return the name of texts without extensions."""
    return hub_texts.name_of(texts) if isinstance(texts, str) else without_compression(texts.resolve()).stem


def free_name(name: str) -> str:
    """Return the name, with the suffix `_texts` if it is reserved or a number."""
    return f"{name}_texts" if name in TAKEN or name.isdigit() else name


def is_kept(output: Path, texts: Path | str) -> bool:
    """Return whether an existing config was edited.

    Raises InputError if it is for other texts.
    """
    content = output.read_text(encoding="utf-8")
    try:
        found = yaml.safe_load(content)["corpora"]
        source = found.get("all_texts", found.get("texts"))["source"]
        known = Path(source["path"]) if "path" in source else source["id"]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return True  # snakemake reports what is invalid
    if known != (hub_texts.parse(texts)[0] if isinstance(texts, str) else texts):
        raise InputError(f"{output} is a config for {known}; expected: another NAME, or delete that file")
    proposed, _, checksum = content.rpartition(MARK)
    return hashlib.sha256(proposed.encode()).hexdigest() != checksum.strip()


def write(content: str, output: Path) -> None:
    """Write a config; its last line contains a checksum, by which edits are detected."""
    content += "\n"
    output.write_text(f"{content}{MARK}{hashlib.sha256(content.encode()).hexdigest()}\n", encoding="utf-8")


def fetch_config(folder: Path, repository: str, revision: str | None) -> tuple[str, Path]:
    """Fetch the settings of a repository of the hub into a folder; by default, of the newest revision.

    Returns the revision and the folder.

    Raises InputError if the hub does not have the repository or cannot be reached.
    """
    from selfembed.downloads import hub  # this import enables network access

    revision = revision or hub.newest_revision(repository)
    hub.fetch(repository, revision, "config.json", folder)
    hub.fetch_existing(repository, revision, (own_modules.MODULES, "tokenizer.json"), folder)
    hub.fetch_existing(repository, revision, own_modules.small_files(folder), folder)
    return revision, folder


def run(config: Path, verbose: bool) -> None:
    """Run `snakemake adapt` with a proposed config; print the answer, the paths of its results and what to run next.

    Args:
        verbose: print a block for every job instead of a line with the progress.

    Raises SystemExit with Snakemake's exit status if it fails.
    """
    command = [sys.executable, "-m", "snakemake", "adapt", "--snakefile", str(files.CHECKOUT / "Snakefile")]
    command += ["--workflow-profile", str(files.CHECKOUT / "profiles/adapt"), "--configfile", str(config)]
    if not verbose:
        command += ["--logger", "progress"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # jobs run `python`
    with subprocess.Popen(command, env=os.environ | {"PATH": path}) as running:
        # Snakemake stops its jobs on SIGINT, which it receives from the terminal, and on SIGTERM.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: running.terminate())
    if running.returncode:
        sys.exit(exit_status(running.returncode))
    name = config.stem.removeprefix("my_")
    written = Path(f"logs/{name}/write_report.log")
    if written.is_file():
        lines = written.read_text(encoding="utf-8").splitlines()
        print("", *(line.split(" ", 1)[-1] for line in lines[:ANSWER]), sep="\n")
    results, figures = f"results/{name}", f"figures/{name}"
    print(f"\nReport: {results}/report.html    Map: {figures}/maps/texts.html    Model: {results}/adapted_model")
    print(f"Figures: {figures}/*.png, *.pdf    Config: {config}")
    print(f"Next: read the report. After a change of the config: {files.adapt_command(config)}")
