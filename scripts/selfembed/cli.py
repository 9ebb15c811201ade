"""selfembed: propose and check a config, judge grouping, place new texts, publish, verify results, show lineage."""

import argparse
import inspect
import sys
from pathlib import Path
from typing import Any, get_args

import yaml

from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing
from selfembed.proposals.proposals import MOST_TEXTS, SEED, SURE_SEEDS
from selfembed.settings.report import Purpose


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    parser.prog = "selfembed"
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command, add_arguments in ARGUMENTS.items():
        description = inspect.getdoc(command)
        summary = description.split("\n")[0].rstrip(".")
        one = commands.add_parser(command.__name__, help=summary[0].lower() + summary[1:], description=description)
        add_arguments(one)
        one.set_defaults(command=command)
    arguments = vars(parser.parse_args(argv))
    arguments.pop("command")(**arguments)


def run() -> None:
    """Entry point of the command `selfembed`."""
    command_line.run(main)


def add_propose(parser: argparse.ArgumentParser) -> None:
    told = "file, folder of .txt or .md files, or data set on the Hugging Face Hub (hf://owner/name)"
    parser.add_argument("texts", type=texts_from, help=told)
    parser.add_argument("--text", help="column of texts; by default, detected by the length of its cells")
    parser.add_argument("--label", help="column of classes (of a folder: 'folder'), by which grouping is judged")
    what = "column of titles, subjects or questions, by which search is judged; by default, detected by its name"
    parser.add_argument("--title", help=what)
    what = "column of threads, products or authors: two texts with the same value are a pair to train on"
    parser.add_argument("--group", help=what)
    parser.add_argument("--encoding", help="encoding of files that are not UTF-8; guessed by default")
    parser.add_argument("--subset", help="subset of a data set on the Hub; by default, the default one")
    parser.add_argument("--split", help="split of a data set on the Hub; by default, train or the first one")
    parser.add_argument(
        "--encoder", help="Hugging Face repository, or folder; by default all-MiniLM-L6-v2, which is installed"
    )
    parser.add_argument("--name", help="name of results/NAME and my_NAME.yaml; by default, from the file name")
    what = "what the model is for: finding texts, grouping them (neighbours, clusters, classifiers), or both"
    parser.add_argument("--for", dest="purpose", choices=get_args(Purpose), default="both", help=what)
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument(
        "--seeds", type=at_least(0), nargs="+", default=[SEED], help="random seeds; one fine-tuning run per seed"
    )
    what = f"use the seeds {' '.join(map(str, SURE_SEEDS))}; takes three times as long"
    seeds.add_argument("--sure", dest="seeds", action="store_const", const=SURE_SEEDS, help=what)
    parser.add_argument(
        "--most-texts",
        type=at_least(100),
        default=MOST_TEXTS,
        help="maximum number of texts; of more, a random sample is used",
    )
    parser.add_argument(
        "--run", action="store_true", help="run the workflow with the config, and print the paths of the results"
    )
    parser.add_argument("--verbose", action="store_true", help="with --run, print every job instead of the progress")


def texts_from(words: str) -> Path | str:
    """Argument type: a path, or the address of a data set on the Hub."""
    return words if words.startswith("hf://") else Path(words).expanduser()


def propose(run: bool, verbose: bool, **choices) -> None:
    """Propose a config that finds the best model for your texts.

    Reads a csv, tsv, jsonl, json, parquet or xlsx file (text files also compressed), a folder of .txt or .md files, or
    a data set on the Hugging Face Hub. Writes `my_NAME.yaml`, a complete config with comments, and prints its name. An
    edited config is not overwritten. Then

      snakemake adapt --configfile my_NAME.yaml --cores all

    creates models, scores and a map. With --run, this is started immediately; `make adapt TEXTS=…` does the same.
    """
    from selfembed.proposals import config_file

    config = config_file.propose(**choices)
    config_file.run(config, verbose) if run else print(config)


def add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--configfile", type=Path, nargs="+", default=[Path("config.yaml")], help="config; later files replace keys"
    )
    parser.add_argument("--config", type=yaml.safe_load, default={}, help="keys that replace those of files, as JSON")
    parser.add_argument("--offline", action="store_true", help="do not use the network")


def doctor(configfile: list[Path], config: dict[str, Any], offline: bool) -> None:
    """Check a config on this machine before a long run.

    Checks GPU and driver, memory for the largest training step (by a trial), free disk against the largest size of the
    results, the clock, and every source: it asks the network for revisions and sizes, and downloads nothing. Estimates
    the hours of every figure and table. Prints a line with `ok`, `warning` or `error` for each finding. The exit status
    is 1 if there is an error. `snakemake doctor` does the same.
    """
    from selfembed.doctor import doctor, findings
    from selfembed.study import files, validation

    found = []
    settings = files.read(configfile, config)
    validation.missing_sources(settings)
    for finding in doctor.check(settings, offline):
        print(finding, flush=True)
        found.append(finding)
    errors, warnings = (findings.number(level, found) for level in ("error", "warning"))
    print(f"errors: {errors}, warnings: {warnings}")
    sys.exit(1 if errors else 0)


def add_ask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, help="config of a finished study with a report")
    parser.add_argument("--questions", type=at_least(1), default=100, help="maximum number of questions")


def ask(config: Path, questions: int) -> None:
    """Write questions by which you judge grouping by hand.

    Compares the encoder as it came with the recommended model, or with the best one if the encoder was kept, on a
    random sample of at most 1,000 texts. Where their nearest texts differ, a question shows a text and the one that
    each model alone finds near. Writes `NAME_questions.csv` and `NAME_key.json`, and prints the name of the first.
    Write a or b into the column `closer`, whichever text is closer in meaning to the first, or nothing to skip. Then

      selfembed judge NAME_questions.csv

    tells which model is better. Questions with answers are not overwritten. The key says which model is which: do not
    read it before.
    """
    from selfembed.judging.questions import ask as write_questions

    print(write_questions(config, questions))


def add_judge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("questions", type=Path, help="answered questions; their key is beside them")


def judge(questions: Path) -> None:
    """Judge grouping by the answers to the questions of `ask`.

    Prints how often the neighbour that the adapted model found was judged closer, with an exact 95 % confidence
    interval, and whether that model is better or worse for grouping, or no difference can be told.
    """
    from selfembed.judging import answers

    print("\n".join(answers.judge(questions)))


def add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, help="config of a finished study with a report and an interactive map")
    parser.add_argument("texts", type=Path, help="file, or folder of .txt or .md files, with new texts")
    parser.add_argument("--text", help="column of texts; by default, that of the corpus, or else detected")


def place(config: Path, texts: Path, text: str | None) -> None:
    """Place the texts of a new file on the map of a finished study.

    Only texts that are neither on the map nor were embedded by an earlier call are embedded, so the file can be one
    that grows. The map, the model and all other results stay as they are. Writes to `results/NAME/placed/`, named after
    the file: a csv with the position of every new text, the cluster of its nearest text and its ten nearest texts, and
    a page, which is the map with the new texts in a colour of their own. Prints their paths, and how many texts are
    unlike all texts of the map.
    """
    from selfembed.placing import place as placing

    for line in placing.place(config, texts, text):
        print(line, flush=True)


def add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder of an adapted model, such as results/NAME/adapted_model")
    parser.add_argument("--to", required=True, metavar="OWNER/NAME", help="repository on the Hugging Face Hub")
    parser.add_argument("--public", action="store_true", help="a public repository; without, a private one")
    parser.add_argument("--upload", action="store_true", help="upload the files; without, only show them")


def publish(folder: Path, to: str, public: bool, upload: bool) -> None:
    """Publish an adapted model on the Hugging Face Hub.

    Prints the files with their sizes, and what the model card says: title, scores, base model and licence. Searches all
    files for passages of the texts of the study. Nothing is uploaded without --upload, which needs a login (`hf auth
    login`), or if a text is found. The repository is created if it does not exist.
    """
    from selfembed.publishing import publish as publishing

    for line in publishing.publish(folder, to, public, upload):
        print(line, flush=True)


def add_verify(parser: argparse.ArgumentParser) -> None:
    folders = [Path("results"), Path("figures")]
    parser.add_argument("folders", type=Path, nargs="*", default=folders, help="folders with results")
    parser.add_argument("--delete", action="store_true", help="delete damaged and outdated results")


def verify(folders: list[Path], delete: bool) -> None:
    """Verify results against their seals.

    Prints results that are damaged (checksums do not match) or outdated (an input has changed or is outdated), and the
    number of results computed with package versions other than the installed ones. With --delete, damaged and outdated
    results are deleted, so that the next run of Snakemake creates them again. The exit status is 1 if any result is
    damaged or outdated.
    """
    from selfembed.provenance import verification

    sys.exit(0 if verification.verify(folders, delete) else 1)


def add_lineage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=existing, nargs="+", help="files or folders written by the workflow")
    parser.add_argument("--crate", type=Path, metavar="FOLDER", help="folder to write as an RO-Crate; default: print")


def lineage(results: list[Path], crate: Path | None) -> None:
    """Show data, settings, code, versions and machine behind a result.

    Results are figures, tables, models, or any other output of a step. Reads their seals (`.NAME.seal`, next to every
    result) and those of all results they depend on. Prints the lineage, or writes it as an RO-Crate: a folder with the
    results and `ro-crate-metadata.json`, which describes every step (command, code, packages and machine) and every
    file (SHA-256 and size).
    """
    from selfembed.provenance import lineage as chains

    units = list(dict.fromkeys(map(chains.made, results)))
    if crate is None:
        print("\n\n".join(chains.text(unit, chains.lineage(unit)) for unit in units))
    else:
        from selfembed.provenance import ro_crate

        ro_crate.write(units, chains.lineage(*units), crate)


ARGUMENTS = {
    propose: add_propose,
    doctor: add_doctor,
    ask: add_ask,
    judge: add_judge,
    place: add_place,
    publish: add_publish,
    verify: add_verify,
    lineage: add_lineage,
}
