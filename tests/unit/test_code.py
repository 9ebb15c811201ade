"""The source files that a script runs, found in the source."""

from pathlib import Path

import pytest

from selfembed.execution.code import checksum_of_syntax, code, read
from selfembed.jobs import records

SCRIPTS = Path(__file__).parents[2] / "scripts"
STEPS = sorted(SCRIPTS.glob("*.py"))


@pytest.fixture
def found(tmp_path):
    """A function that writes a script beside a small library and returns what it runs, relative to it."""
    library = {
        "__init__.py": '"""A library."""\n',
        "alone.py": "import json\nimport numpy.selfembed\n",
        "chain.py": "from selfembed.link import fasten\n",
        "link.py": "def fasten():\n    import selfembed.end\n",
        "end.py": "END = 1\n",
        "circle.py": "from selfembed import ring\n",
        "ring.py": "from selfembed import circle\n",
        "group/__init__.py": "from selfembed import end\n",
        "group/member.py": "MEMBER = 1\n",
        "settings/__init__.py": "",
        "settings/schema.py": "from selfembed import alone\n",
        "pages/__init__.py": '"""Pages."""\nimport json\n',
        "pages/page.html": "",
        "pages/style.css": "",
        "pages/notes.txt": "",
    }
    for name, source in library.items():
        path = tmp_path / "selfembed" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(source)

    def run(source: str) -> set[str]:
        script = tmp_path / "script.py"
        script.write_text(source)
        files = code.__wrapped__(script)
        assert files == sorted(set(files))
        return {Path(file).relative_to(tmp_path).as_posix().removeprefix("selfembed/") for file in files}

    return run


@pytest.mark.parametrize(
    ("source", "library"),
    [
        pytest.param("import os\nfrom pathlib import Path\n", set(), id="no library"),
        pytest.param("import selfembed\n", set(), id="the library itself"),
        pytest.param("import selfembed.alone\n", {"alone.py"}, id="import a.b"),
        pytest.param("import os, selfembed.alone as one\n", {"alone.py"}, id="import as"),
        pytest.param("from selfembed import alone\n", {"alone.py"}, id="from a import b"),
        pytest.param("from selfembed import alone, end\n", {"alone.py", "end.py"}, id="two at once"),
        pytest.param("from selfembed.end import END\n", {"end.py"}, id="from a.b import name"),
        pytest.param("from selfembed import chain\n", {"chain.py", "link.py", "end.py"}, id="indirect"),
        pytest.param("from selfembed import ring\n", {"ring.py", "circle.py"}, id="circle"),
        pytest.param("def f():\n    from selfembed import end\n", {"end.py"}, id="inside a function"),
        pytest.param("if True:\n    import selfembed.end\n", {"end.py"}, id="inside a condition"),
        pytest.param(
            "from selfembed.group.member import name\n",
            {"group/__init__.py", "group/member.py", "end.py"},
            id="packages around a module run, too",
        ),
        pytest.param("from selfembed.group import name\n", {"group/__init__.py", "end.py"}, id="package"),
        pytest.param(
            "from selfembed import pages\n",
            {"pages/__init__.py", "pages/page.html", "pages/style.css"},
            id="a package with a page",
        ),
        pytest.param("from selfembed.settings import schema\n", set(), id="settings are parameters"),
        pytest.param("# import selfembed.end\nTEXT = 'import selfembed.end'\n", set(), id="comments and texts"),
        pytest.param("import selfembedding.end\n", set(), id="a library of a similar name"),
        pytest.param("from selfembed.nowhere import name\n", set(), id="a module that does not exist"),
    ],
)
def test_imported_files(found, source, library):
    """A script needs itself and every library file with statements that it can import, and no other."""
    assert found(source) == {"script.py"} | library


def library_of(script: Path) -> set[str]:
    """Names of the library files that a real script runs."""
    paths = [Path(path) for path in code(script)]
    return {path.relative_to(SCRIPTS / "selfembed").as_posix() for path in paths if path != script}


@pytest.mark.parametrize(
    ("script", "needed", "unrelated"),
    [
        (
            "score_knn.py",
            {"scores/neighbors.py", "errors.py"},
            {"training/training.py", "models/encoders.py", "drawing/figures.py"},
        ),
        (
            "draw_layers.py",
            {"drawing/figures.py", "jobs/records.py"},
            {"scores/neighbors.py", "training/training.py", "models/encoders.py"},
        ),
        (
            "make_pairs.py",
            {"augmentations/crops.py", "texts/corpora.py"},
            {"training/training.py", "scores/neighbors.py"},
        ),
        (
            "fine_tune.py",
            {"training/training.py", "models/encoders.py"},
            {"scores/neighbors.py", "embeddings/embedding.py", "drawing/figures.py"},
        ),
    ],
)
def test_real_scripts(script, needed, unrelated):
    """An edit to a library file reruns the steps that use it and leaves the others alone."""
    files = library_of(SCRIPTS / script)
    assert needed <= files
    assert not unrelated & files


@pytest.mark.parametrize("script", STEPS, ids=lambda path: path.name)
def test_no_script_of_a_rule_runs_what_expands_a_config(script):
    """Adding an experiment or a key to the schema must rerun nothing: settings reach a step as arguments."""
    sources = [script, *(SCRIPTS / "selfembed" / name for name in library_of(script) if name.endswith(".py"))]
    found = {module.split(".")[1] for source in sources for module in read(source)[1] if "." in module}
    assert not found & (records.APART - {"settings"})
    assert "settings" not in {name.split("/")[0] for name in library_of(script)}


@pytest.mark.parametrize("script", STEPS, ids=lambda path: path.name)
def test_the_checksum_of_the_code_is_of_all_that_a_step_runs(script):
    assert {Path(name).resolve() for name in code(script)} <= {path.resolve() for path in records.code_of_steps()}


@pytest.mark.parametrize("script", STEPS, ids=lambda path: path.name)
def test_files_exist(script):
    """Every file that a rule would get as input is there, the script among them."""
    files = code(script)
    assert str(script) in files
    assert all(Path(file).is_file() for file in files)


SOURCE = '''"""Module."""

import os


class Shape:
    """Class."""

    def area(self, scale=1.0):
        """Function."""
        return [scale, "text"]
'''


@pytest.fixture
def checksum(tmp_path):
    """A function that gives the checksum of a source."""
    path = tmp_path / "module.py"

    def of(source: str) -> str:
        path.write_text(source)
        return checksum_of_syntax.__wrapped__(path)

    return of


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import os\n", "import os  # why\n"),
        ("Module.", "Another module."),
        ('"""Module."""\n', ""),
        ("Class.", "Another class."),
        ("Function.", "Another function."),
        ('        """Function."""\n', ""),
        ('"text"', "'text'"),
        ('[scale, "text"]', '[\n            scale,\n            "te" "xt",\n        ]'),
        ("\n\n\n", "\n"),
    ],
)
def test_comments_docstrings_and_formats_are_no_syntax(checksum, old, new):
    assert old in SOURCE
    assert checksum(SOURCE.replace(old, new)) == checksum(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("scale=1.0", "scale=1.1"),
        ('"text"', '"texts"'),
        ("import os\n", "import os\n\nEDITED = 1\n"),
        ("import os\n", "import sys\n"),
        ("class Shape:", "class Shape(str):"),
        ("def area", "async def area"),
        ("        return", "    return"),
        ("return", "return ("),
    ],
)
def test_another_statement_is_another_checksum_also_in_the_middle_of_an_edit(checksum, old, new):
    assert old in SOURCE
    assert checksum(SOURCE.replace(old, new)) != checksum(SOURCE)


def test_an_edited_file_is_read_again(tmp_path):
    path = tmp_path / "module.py"
    found = []
    for number in (1, 2):
        path.write_text(f"X = {number}\n")
        found.append(checksum_of_syntax(path, number))
    assert found[0] != found[1]
