"""Options of scripts are the fields of settings, and read back what `flags` writes."""

import ast
import inspect
import re
import shlex
from argparse import ArgumentError
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ValidationError

from selfembed.jobs import command_line, options
from selfembed.settings import schema
from selfembed.settings.base import Closed
from selfembed.settings.corpora import Columns, Corpus, CropsSource, Expected
from selfembed.settings.encoders import HubAdapter, SvdEncoder, TfidfEncoder
from selfembed.settings.recipes import Augmentation, Crops, Halves, Recipe
from selfembed.settings.scores import Mteb, Split, Threads, Tsne
from selfembed.texts.splits import HELD_OUT_SEED
from selfembed.workflow.flags import flags

# Fields that are no options of their models: groups with the same keys, one of several groups, lists and tables of
# groups. Scripts that need them have options of these groups.
APART = {
    "Settings": (
        *("corpora", "encoders", "recipes", "scores", "tasks", "experiments", "figures", "tables", "claims"),
        *("threads", "embedding", "mteb", "tsne", "report"),
    ),
    "Corpus": ("source", "expect"),
    "Recipe": ("augmentation",),
    "HubEncoder": ("adapter",),
    "RandomEncoder": ("tokenizer",),
    "Experiment": ("models",),
    "ModelEntry": ("sweep",),
    "Claim": ("evidence",),
    "Difference": ("models",),
    "Share": ("start", "reached", "end"),
}


# A shell, argparse or pydantic may take some of these for something else than text.
TEXTS = [
    "knn",
    "a_1",
    "7",
    "1e5",
    "true",
    "null",
    "final",
    "two words",
    "it's",
    "$HOME {x}",
    "é\n",
    "*",
    "'",
    '"',
    "a=b",
]
TEXTS += ["f" * 40, "0" * 64, "#00ff00", "https://a.b/c?d=e&f", "folder/file.csv", "dimensions_64"]


def descendants(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The settings' models, without those that `options` derives."""
    found = [kind for kind in model.__subclasses__() if kind.__module__.startswith("selfembed.settings")]
    return [kind for child in found for kind in (child, *descendants(child))]


MODELS = {
    model.__name__: model for model in [Threads, schema.Settings, *descendants(Closed)] if not inspect.isabstract(model)
}


def read(text: str, model, **how):
    parser = command_line.parser("A script.")
    options.add(parser, model, "found", **how)
    return parser.parse_args(shlex.split(text)).found


def refusal(capsys, text: str, model, **how) -> str:
    with pytest.raises(SystemExit) as end:
        read(text, model, **how)
    assert end.value.code == 2
    return capsys.readouterr().err


def values_of(annotation, said=()):
    """Values that a field may have; some of them are not valid."""
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if hasattr(annotation, "__metadata__"):
        return values_of(get_args(annotation)[0], (*said, *annotation.__metadata__))
    if get_origin(annotation) is list:
        return st.lists(values_of(get_args(annotation)[0]), max_size=3)
    if members := get_args(annotation):
        return st.one_of(*(values_of(member, said) for member in members))
    limits = [limit for item in said for limit in getattr(item, "metadata", [item])]
    bound = {key: getattr(limit, key) for limit in limits for key in ("ge", "gt", "le", "lt") if hasattr(limit, key)}
    least, most = bound.get("ge", bound.get("gt", -1000)), bound.get("le", bound.get("lt", 10**6))
    patterns = [limit.pattern for limit in limits if getattr(limit, "pattern", None)]
    match annotation:
        case type() if annotation is type(None):
            return st.none()
        case type() if annotation is bool:
            return st.booleans()
        case type() if annotation is int:
            return st.integers(least, most)
        case type() if annotation is float:
            return st.floats(max(least, 0), most, allow_nan=False)
        case type() if annotation is str:
            if any(isinstance(item, AfterValidator) for item in said):
                return st.sampled_from(["utf-16", "cp1252"])
            texts = [text for text in TEXTS if all(re.search(pattern, text) for pattern in patterns)]
            return st.sampled_from(texts)
        case type() if issubclass(annotation, BaseModel):
            return models_of(annotation)
    raise TypeError(annotation)


def models_of(model, **given):
    """Valid models, with defaults in some places."""
    values = {}
    for key, field in model.model_fields.items():
        if key not in given:
            value = values_of(field.annotation, field.metadata)
            values[key] = value if field.is_required() else st.one_of(st.just(...), value)

    def made(chosen: dict):
        try:
            return model.model_validate(given | {key: value for key, value in chosen.items() if value is not ...})
        except ValidationError:
            return None

    return st.fixed_dictionaries(values).map(made).filter(lambda found: found is not None)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MODELS.keys() - APART.keys()))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_flags_are_read_back_as_they_were(name, data):
    model = data.draw(models_of(MODELS[name]))
    assert read(flags(model), MODELS[name]) == model


@pytest.mark.parametrize("name", sorted(APART))
def test_what_is_no_option_is_refused_and_the_rest_are_options(name):
    with pytest.raises((TypeError, ArgumentError)):
        options.add(command_line.parser("A script."), MODELS[name])
    options.add(command_line.parser("A script."), MODELS[name], omit=APART[name])


@settings(max_examples=25, deadline=None)
@given(recipe=models_of(Recipe, augmentation="crops"))
def test_what_is_left_out_is_neither_an_option_nor_dumped(recipe):
    told = flags(recipe, omit=("augmentation",))
    found = read(told, Recipe, omit=("augmentation",))
    assert isinstance(found, Recipe)
    assert found.model_dump() == recipe.model_dump(exclude={"augmentation"})


def test_defaults_are_the_models():
    assert read("", Tsne) == Tsne()
    assert read("--no-size", CropsSource, omit=("corpus",)).size is None
    assert read("", CropsSource, omit=("corpus",)).size == 2000
    assert options.defaults(Split, "test_fraction") == {"test_fraction": 0.1}
    assert options.defaults(Tsne) == Tsne().model_dump()


def test_the_type_says_which_model_is_meant(capsys):
    assert read("--type crops --sentences 3", Augmentation) == Crops(type="crops", sentences=3)
    assert read("--type halves", Augmentation, omit=("mask_fraction",)).model_dump() == {"type": "halves"}
    assert isinstance(read("--type halves", Augmentation), Halves)
    assert read("--type svd --no-normalise", TfidfEncoder | SvdEncoder) == SvdEncoder(type="svd")
    assert "--sentences: not possible with this type" in refusal(capsys, "--type halves --sentences 3", Augmentation)
    assert "--type" in refusal(capsys, "", Augmentation)


def test_an_optional_group_is_none_if_nothing_of_it_is_given(capsys):
    how = {"prefix": "adapter-", "optional": True}
    assert read("", HubAdapter, **how) is None
    assert read("--adapter-id a/b", HubAdapter, **how) == HubAdapter(id="a/b")
    assert "argument --adapter-id: missing" in refusal(capsys, f"--adapter-revision {'a' * 40}", HubAdapter, **how)
    assert read("--expect-rows 3", Expected, prefix="expect-", optional=True) == Expected(rows=3)


def test_values_are_put_into_the_arguments_under_the_names_of_the_options():
    parser = command_line.parser("A script.")
    parser.add_argument("--corpus")
    options.add(parser, Threads, keep=("embed",), names={"embed": "threads"})
    options.add(parser, schema.Settings, keep=("device",))
    options.add(parser, MODELS["Experiment"], "chosen", keep=("layers", "poolings"), known={"corpora": "corpus"})
    arguments = parser.parse_args(["--corpus", "news", "--layers", "0", "3", "--threads", "4"])
    assert vars(arguments).pop("chosen").layers == [0, 3]
    assert vars(arguments) == {"corpus": "news", "layers": [0, 3], "poolings": ["mean"], "threads": 4, "device": "auto"}


def test_what_is_known_otherwise_is_checked_with_the_rest():
    parser = command_line.parser("A script.")
    parser.add_argument("--table")
    options.add(parser, Columns, "columns", known={"keyword_classes": "table"})
    found = parser.parse_args(["--keywords", "k", "--table", "k.csv"]).columns
    assert (found.keywords, found.keyword_classes) == ("k", "k.csv")
    with pytest.raises(SystemExit):
        parser.parse_args(["--keywords", "k"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--temperature 0", "argument --temperature: '0.0' is invalid; expected: numbers above 0"),
        ("--temperature nan", "argument --temperature: 'nan' is invalid; expected: numbers above 0"),
        ("--temperature hot", "argument --temperature: 'hot' is invalid; expected: numbers above 0"),
        ("--warmup 2", "argument --warmup: '2.0' is invalid; expected: numbers from 0 to 1"),
        ("--batch-size 1", "argument --batch-size: '1' is invalid; expected: whole numbers from 2"),
        ("--batch-size 2.5", "argument --batch-size: '2.5' is invalid; expected: whole numbers from 2"),
        ("--projection 8 0", "argument --projection: '0' is invalid; expected: whole numbers from 1"),
        (
            "--pooling max",
            "argument --pooling: invalid choice: 'max' (choose from 'mean', 'cls', 'last', 'token7', 'own')",
        ),
        ("--pooling token7 --max-length 4", "pooling 'token7' does not exist in max_length 4; expected: mean, cls"),
        ("--temperatur 1", "unrecognized arguments: --temperatur 1"),
    ],
)
def test_a_problem_is_one_line_with_option_value_and_what_is_allowed(capsys, text, expected):
    said = refusal(capsys, text, Recipe, omit=("augmentation",))
    assert said.startswith(f"error: {expected}")
    assert said.count("\n") == 1


def test_help_has_what_the_fields_say(capsys):
    parser = command_line.parser("A script.")
    options.add(parser, Mteb)
    options.add(parser, Corpus, keep=("deduplicate",))
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "Texts are truncated to this many tokens. (whole numbers from 3; default: 384)" in said
    assert "--deduplicate, --no-deduplicate" in said


def test_what_runs_hold_out_is_tested_by_scores_as_they_are_by_default():
    assert options.defaults(Split, "split_seed") == {"split_seed": HELD_OUT_SEED}


NUMBERS = {"at_least", "positive", "not_negative", "part", "int", "float"}


def said_again(script: Path, fields: set[str]) -> list[tuple[str, str]]:
    """The options of a script that are called as a field, and have a default, choices or limits of their own."""
    found = []
    for call in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or not ast.unparse(call.func).endswith(".add_argument"):
            continue
        if not isinstance(call.args[0], ast.Constant):
            continue  # a flag of every experiment of a figure
        name = ast.literal_eval(call.args[0]).removeprefix("--").replace("-", "_")
        how = {keyword.arg: keyword.value for keyword in call.keywords}
        kind = ast.unparse(how["type"]).split("(")[0] if "type" in how else ""
        literals = [how[key] for key in ("default", "choices") if key in how and ast.unparse(how[key]) != "[]"]
        if name in fields and (kind in NUMBERS or any(not isinstance(value, ast.Call) for value in literals)):
            found.append((script.stem, name))
    return found


def test_no_script_says_again_what_a_field_of_the_settings_says():
    fields = {key for model in MODELS.values() for key in model.model_fields} | {"threads", "devices"}
    scripts = sorted((Path(__file__).parents[2] / "scripts").glob("*.py"))
    # What is proposed differs from the defaults: it is written into a config.
    steps = [script for script in scripts if script.stem != "propose_config"]
    assert len(steps) > 40
    assert {option for script in steps for option in said_again(script, fields)} == set()


def test_what_a_script_says_again_is_found(tmp_path):
    script = tmp_path / "step.py"
    script.write_text(
        'parser.add_argument("--temperature", default=0.05)\n'
        'parser.add_argument("--batch-size", type=at_least(2))\n'
        'parser.add_argument("--pooling", choices=["mean"])\n'
        'parser.add_argument("--poolings", choices=get_args(Pooling), default=[])\n'
        'parser.add_argument("--keep", default=["final"])\n'
    )
    fields = {"temperature", "batch_size", "pooling", "poolings"}
    assert said_again(script, fields) == [("step", "temperature"), ("step", "batch_size"), ("step", "pooling")]
