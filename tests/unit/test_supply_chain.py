"""What is installed and what is loaded: pinned, checked, licensed; nothing that comes from outside is run."""

import ast
import re

import licences
import pytest

from workflow_runs import ROOT

LOCK = licences.locked()
SOURCES = sorted([*ROOT.glob("scripts/**/*.py"), *ROOT.glob("bench/*.py")])
CALLS = [
    (path, node)
    for path in SOURCES
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Call)
]


def called(node: ast.Call) -> str:
    """The name of what is called, with its module if that is written."""
    return ast.unparse(node.func)


def arguments(node: ast.Call) -> dict[str | None, str]:
    return {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}


def test_the_page_of_licences_is_of_the_lock():
    rows = re.findall(
        r"^\| ([a-z0-9-]+) \| (\d\S*) \| (.+) \|$", licences.PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {name: version for name, version, _ in rows} == LOCK, "run `make licences`"


# What anyone may use beside MIT-licensed code, in the packages' many words for it.
FREE = r"MIT|BSD|Apache|Mozilla|MPL|Python Software Foundation|PSF|ISC|Public Domain"


def test_every_licence_lets_anyone_use_it():
    for line in licences.PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| package"):
            assert re.search(FREE, line.split("|")[3]), line


def test_every_package_of_the_lock_has_its_hashes_but_torch():
    text = (ROOT / "requirements.hashes").read_text(encoding="utf-8")
    hashed = re.findall(r"^([a-z0-9-]+)==(\S+?) (?:;.*)?\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert dict(hashed) | {"torch": LOCK["torch"]} == LOCK, "run `make lock`"


def test_no_pickle_is_read():
    for path, node in CALLS:
        where = f"{path.name}:{node.lineno}"
        if called(node) == "torch.load":
            assert arguments(node).get("weights_only") == "True", where
        if called(node) in ("np.load", "numpy.load", "np.lib.format.open_memmap"):
            assert arguments(node).get("allow_pickle", "False") == "False", where
        assert called(node) not in ("pickle.load", "pickle.loads", "pd.read_pickle", "joblib.load"), where
        assert called(node) not in ("eval", "exec", "os.system", "yaml.load", "marshal.loads"), where


def test_no_code_of_a_checkpoint_is_ever_run():
    for path, node in CALLS:
        found = arguments(node).get("trust_remote_code", "False")
        assert found == "False", f"{path.name}:{node.lineno}"


def test_no_command_goes_through_a_shell():
    for path, node in CALLS:
        assert arguments(node).get("shell", "False") == "False", f"{path.name}:{node.lineno}"


DOWNLOADS = sorted(path.stem for path in (ROOT / "scripts").glob("download_*.py"))


@pytest.mark.parametrize("name", DOWNLOADS)
def test_only_downloads_use_the_network_and_check_what_they_get(name):
    """A checksum of the config, of the hub, or (MTEB's registry) a revision and a checksum that every score checks."""
    text = (ROOT / "scripts" / f"{name}.py").read_text(encoding="utf-8")
    assert re.search(r"check_file|hub\.fetch|hub_datasets\.fetch|registry_tasks\.save", text)


def test_nothing_else_imports_what_goes_on_the_network():
    libraries = {"requests", "pooch", "httpx2", "urllib", "socket", "huggingface_hub"}
    harmless = {"urllib.parse"}
    # processes: a free port of this machine; run and server (scripts/warm): a socket that no other machine can reach;
    # availability: what `selfembed doctor` asks for metadata; upload: `selfembed publish`
    allowed = {*DOWNLOADS, "hub", "processes", "run", "server", "availability", "upload"}
    for path in ROOT.glob("scripts/**/*.py"):
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        modules = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        modules |= {node.module for node in tree if isinstance(node, ast.ImportFrom)}
        assert path.stem in allowed or not libraries & {name.split(".")[0] for name in modules - harmless}, path
