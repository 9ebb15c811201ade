"""Configs that are wrong in every way people get them wrong: refused before any job, nothing written."""

import copy
import os

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some
from settings_examples import REMOVED, changed, example

from selfembed.errors import InputError
from selfembed.study import files
from selfembed.study.expansion import expand
from selfembed.study.validation import load, missing_sources
from workflow_runs import ROOT, copy_of_checkout, snakemake

TINY = (ROOT / "tests/reliability/tiny.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return copy_of_checkout(tmp_path_factory.mktemp("place"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("", "YAML with keys at top level", id="empty"),
        pytest.param("- a\n- b\n", "YAML with keys at top level", id="a list", marks=pytest.mark.campaign),
        pytest.param("hello\n", "YAML with keys at top level", id="a word", marks=pytest.mark.campaign),
        pytest.param("corpora: [a, b\nx: }\n", "not valid JSON or YAML", id="brackets"),
        pytest.param("corpora:\n\tx: 1\n", "not valid JSON or YAML", id="tabs", marks=pytest.mark.campaign),
        pytest.param("folder: a\x00b\n", "not valid JSON or YAML", id="NUL", marks=pytest.mark.campaign),
        pytest.param("a: 1\n---\nb: 2\n", "not valid JSON or YAML", id="two documents", marks=pytest.mark.campaign),
        pytest.param(
            'folder: !!python/object/apply:os.system ["touch executed"]\n', "not valid JSON or YAML", id="code in a tag"
        ),
        pytest.param("{}", "corpora: missing", id="no keys", marks=pytest.mark.campaign),
        pytest.param("a: &a [*a]\n", "a: unknown key", id="a list that holds itself"),
        pytest.param(TINY.replace("seeds: [1]", "seeds: [1]\nseeds: [2]"), "duplicate key 'seeds'", id="key twice"),
        pytest.param(
            TINY.replace("  svd: {", "  svd: {type: tfidf}\n  svd: {"),
            "duplicate key 'svd'",
            id="name twice",
            marks=pytest.mark.campaign,
        ),
        pytest.param(TINY.replace("seeds:", "sedes:"), "sedes: unknown key", id="unknown key"),
        pytest.param(TINY, "'notes.csv' does not exist", id="no such file"),
        pytest.param(b'folder: "caf\xe9"\n', "UnicodeDecodeError", id="not UTF-8", marks=pytest.mark.campaign),
    ],
)
def test_a_config_file_that_is_wrong(place, content, expected):
    """Snakemake itself tells of what it cannot read as YAML; everything else is `config error: …`."""
    path = place / "wrong.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = tree(place)
    done = snakemake(place, "--configfile", path.name, "--cores", "1", "--dry-run")
    assert done.returncode != 0
    assert expected in done.stdout
    assert "Traceback" not in done.stdout or expected == "UnicodeDecodeError"
    assert tree(place) == before


def tree(folder):
    return sorted(
        str(path) for path in folder.rglob("*") if ".snakemake" not in path.parts and "__pycache__" not in path.parts
    )


@pytest.mark.parametrize("name", ["none.yaml", "config"])
def test_a_config_file_that_is_not_there_is_named(place, name):
    done = snakemake(place, "--configfile", name, "--cores", "1", "--dry-run")
    assert done.returncode != 0
    assert f"'{name}'" in done.stdout.strip().splitlines()[-1]


HOSTILE = [
    "a/b",
    "../up",
    "..",
    "a b",
    "$(touch x)",
    "`id`",
    "a;b",
    "a\nb",
    "-rf",
    "a'b",
    'a"b',
    "{x}",
    "<x>",
    "",
    "é",
    "A",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("group", ["corpora", "encoders", "recipes", "experiments", "figures"])
def test_a_name_that_is_no_name(group, name):
    config = example()
    config[group][name] = next(iter(config[group].values()))
    assert_refused(config, group)


@pytest.mark.parametrize("path", ["folder", "experiments.main.corpora.0", "experiments.main.models.1.encoder"])
@pytest.mark.parametrize("name", [name for name in HOSTILE if name])
def test_a_reference_that_is_no_name(path, name):
    assert_refused(changed({path: name}), path)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"seeds": "1"}, "seeds"),
        ({"seeds": [-1]}, "seeds.0"),
        ({"seeds": [1, 1]}, "seeds"),
        ({"seeds": None}, "seeds"),
        ({"corpora": []}, "corpora"),
        ({"corpora": "news"}, "corpora"),
        ({"corpora": REMOVED}, "corpora"),
        ({"encoders": REMOVED}, "encoders"),
        ({"experiments": REMOVED}, "experiments"),
        ({"experiments": {}}, "experiments"),
        ({"experiments.main.models": []}, "experiments.main.models"),
        ({"corpora.news.source": "news.csv"}, "corpora.news.source"),
        ({"corpora.news.source.path": 3}, "corpora.news.source.path"),
        ({"corpora.news.source.path": ["a", "b"]}, "corpora.news.source.path"),
        ({"corpora.news.source.path": "-x"}, "corpora.news.source.path"),
        ({"corpora.news.source.path": "{corpus}.csv"}, "corpora.news.source.path"),
        ({"corpora.news.minimum_length": 0}, "corpora.news.minimum_length"),
        ({"corpora.news.deduplicate": "perhaps"}, "corpora.news.deduplicate"),
        ({"corpora.news.source.text": "--output"}, "corpora.news.source.text"),
        ({"corpora.a": {"source": {"type": "sample", "corpus": "a", "size": 3}}}, "corpora.a"),
        (
            {
                "corpora.a": {"source": {"type": "sample", "corpus": "b", "size": 3}},
                "corpora.b": {"source": {"type": "relabelled", "corpus": "a"}},
            },
            "corpora.",
        ),
        ({"corpora.a": {"source": {"type": "sample", "corpus": "none", "size": 3}}}, "corpora.a"),
        ({"corpora.a": {"source": {"type": "sample", "corpus": "news", "size": 0}}}, "corpora.a"),
        ({"corpora.a": {"source": {"type": "url", "url": "ftp://x/y", "format": "csv"}}}, "corpora.a"),
        ({"corpora.a": {"source": {"type": "url", "url": "https://x/y", "format": "csv"}}}, "corpora.a"),
        ({"corpora.docs.source.packages": ["os; rm"]}, "corpora.docs.source.packages.0"),
        ({"corpora.docs.source.packages": ["../x"]}, "corpora.docs.source.packages.0"),
        ({"encoders.tiny.of": "tiny"}, "encoders.tiny.of"),
        ({"encoders.loop": {"type": "embedding_layer", "of": "loop"}}, "encoders.loop"),
        ({"encoders.tiny.max_length": 1}, "encoders.tiny.max_length"),
        ({"encoders.tiny.architecture.attention_heads": 5}, "encoders.tiny.architecture"),
        ({"encoders.mpnet.layers": 0}, "encoders.mpnet.layers"),
        ({"encoders.mpnet.revision": "main"}, "encoders.mpnet.revision"),
        ({"encoders.mpnet.trust_remote_code": True}, "encoders.mpnet.trust_remote_code"),
        ({"recipes.crops.batch_size": 0}, "recipes.crops.batch_size"),
        ({"recipes.crops.batch_size": 1}, "recipes.crops.batch_size"),
        ({"recipes.crops.batch_size": 16.5}, "recipes.crops.batch_size"),
        ({"recipes.crops.temperature": 0}, "recipes.crops.temperature"),
        ({"recipes.crops.temperature": -0.05}, "recipes.crops.temperature"),
        ({"recipes.crops.learning_rate": "2e-5x"}, "recipes.crops.learning_rate"),
        ({"recipes.crops.learning_rate": float("nan")}, "recipes.crops.learning_rate"),
        ({"recipes.crops.max_length": 1}, "recipes.crops.max_length"),
        ({"recipes.crops.epochs": 0}, "recipes.crops.epochs"),
        ({"recipes.crops.warmup": 1.5}, "recipes.crops.warmup"),
        ({"recipes.crops.held_out": 1}, "recipes.crops.held_out"),
        ({"recipes.crops.projection": [0]}, "recipes.crops.projection.0"),
        ({"recipes.crops.unfrozen_layers": -1}, "recipes.crops.unfrozen_layers"),
        ({"recipes.crops.augmentation.minimum_length": 500}, "recipes.crops.augmentation"),
        ({"scores": {"knn": {"type": "knn", "k": 0}}}, "scores.knn.k"),
        ({"scores": {"knn": {"type": "knn", "test_fraction": 1}}}, "scores.knn.test_fraction"),
        ({"experiments.main.steps": [-1]}, "experiments.main.steps"),
        ({"experiments.main.steps": ["epoch-x"]}, "experiments.main.steps"),
        ({"experiments.main.steps": ["../final"]}, "experiments.main.steps"),
        ({"experiments.main.layers": [99]}, "experiments.main"),
        ({"threads": {"embed": 0}}, "threads.embed"),
        ({"device": "cuda:0"}, "device"),
        ({"tsne": {"perplexity": 0}}, "tsne.perplexity"),
        ({"published": 3}, "published"),
        ({"published": "none.csv"}, "published"),
        ({"tasks": {"T": {"type": "sts", "files": "nowhere", "block": "sts"}}}, "tasks.T"),
        ({"figures.bars.title": "a</SCRIPT><script>alert(1)"}, "figures.bars.title"),
        ({"figures.bars.caption": "<!-- nothing"}, "figures.bars.caption"),
        ({"experiments.main.models.0.label": "<script>"}, "experiments.main.models.0.label"),
        ({1: 2}, "1"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else str(value),
)
def test_a_setting_that_is_impossible(changes, key):
    config = changed({name: value for name, value in changes.items() if isinstance(name, str)})
    assert_refused(config | {name: value for name, value in changes.items() if not isinstance(name, str)}, key)


def test_a_number_written_as_text_is_a_number():
    """YAML 1.1 reads 2e-5 as text."""
    config = changed({"recipes.crops.learning_rate": yaml.safe_load("2e-5")})
    assert config["recipes"]["crops"]["learning_rate"] == "2e-5"
    assert load(config).recipes["crops"].learning_rate == 2e-5


def assert_refused(config, key):
    with pytest.raises(InputError) as refused:
        settings = load(config)
        expand(settings)
        missing_sources(settings)
    lines = str(refused.value).splitlines()
    assert any(key in line for line in lines), lines
    assert all(": " in line for line in lines), lines


@pytest.mark.parametrize("content", ["", "year,value\n", "\x00\x01", "experiment;label\n"])
def test_published_numbers_without_their_columns(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    for name in ("news.csv", "notes.txt"):
        (tmp_path / name).write_text("text\n")
    (tmp_path / "published.csv").write_text(content)
    assert_refused(changed({"published": "published.csv"}), "published")


def test_published_numbers_that_are_no_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("news.csv", "notes.txt"):
        (tmp_path / name).write_text("text\n")
    (tmp_path / "published.csv").write_bytes(os.urandom(300) + b"\xff\xfe")
    assert_refused(changed({"published": "published.csv"}), "published")


# Mutated configs: valid or InputError, never another error.

anything = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(max_size=9)
    | some.sampled_from(HOSTILE),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


def places(node, path=()):
    """Every place in a config."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


TINY_CONFIG = yaml.safe_load(TINY)
PLACES = list(places(TINY_CONFIG))


@settings(max_examples=80, deadline=None)
@given(
    some.lists(
        some.tuples(some.sampled_from(PLACES), anything, some.sampled_from(["set", "drop", "rename"])),
        min_size=1,
        max_size=3,
    )
)
def test_a_mutated_config_is_valid_or_refused(mutations):
    config = copy.deepcopy(TINY_CONFIG)
    for path, value, how in mutations:
        target = config
        try:
            for key in path[:-1]:
                target = target[key]
            old = target.pop(path[-1])
        except (KeyError, IndexError, TypeError, AttributeError):  # an earlier mutation took it away
            continue
        if how == "set":
            target.insert(path[-1], value) if isinstance(target, list) else target.update({path[-1]: value})
        elif how == "rename" and isinstance(target, dict):
            target[str(value)] = old
    try:
        expand(load(config))
    except InputError as error:
        assert str(error).strip()


@settings(max_examples=300, deadline=None)
@given(some.text(alphabet="ab:-[]{}&*<> \n\"'#|", max_size=40))
def test_repeated_keys_are_found_in_any_yaml_that_can_be_read(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(content, encoding="utf-8")
    try:
        yaml.safe_load(content)
    except (yaml.YAMLError, TypeError, ValueError):
        return
    try:
        files.check([path])
    except InputError as error:
        assert "duplicate key" in str(error)
