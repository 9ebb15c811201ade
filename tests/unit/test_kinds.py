"""Every kind (of augmentation, encoder, source, score, task, figure, table, comparison) has what the others have.

A kind is a model of settings with a discriminator among its keys. What its class must say is checked at import
(`settings.base.Kind`); here, that every table elsewhere has an entry for it: rules, scripts, formulas, words.
"""

import re
import typing
from pathlib import Path
from string import Formatter

import pytest
import yaml

from selfembed.augmentations import crops
from selfembed.evidence import claims, differences
from selfembed.pages import plain_words
from selfembed.scores import measures
from selfembed.settings.base import DISCRIMINATORS, Kind, Packs
from selfembed.settings.claims import Claim, Comparison
from selfembed.settings.corpora import Corpus, DerivedSource, OwnSource, PythonDocsSource
from selfembed.settings.encoders import BagOfWords, EmbeddingsOnly, Encoder, EncoderKind, RandomEncoder, WithOwnModules
from selfembed.settings.figures import Figure, FigureKind, Table, TableKind
from selfembed.settings.recipes import Augmentation, Masked, Recipe
from selfembed.settings.schema import Settings
from selfembed.settings.scores import LocalTask, RegistryTask, Score, ScoreKind
from selfembed.study import expansion, places
from selfembed.study.checks import figures as figure_checks
from selfembed.study.validation import load
from selfembed.tasks import local_tasks, task_files, tasks_from_corpus

ROOT = Path(__file__).parents[2]
RULES = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")) if path.stem != "common")
SMOKE = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))


def members(annotation) -> list[type]:
    """The models of a union of kinds."""
    parts = typing.get_args(annotation)
    return (
        [annotation]
        if not parts
        else [found for part in parts for found in members(part) if hasattr(found, "model_fields")]
    )


def name_of(kind: type) -> str:
    """What the config calls a kind."""
    (key,) = set(DISCRIMINATORS) & set(kind.model_fields)
    return typing.get_args(kind.model_fields[key].annotation)[0]


def named(annotation) -> dict[str, type]:
    return {name_of(kind): kind for kind in members(annotation)}


AUGMENTATIONS = named(Augmentation)
ENCODERS = named(Encoder)
SOURCES = named(Corpus.model_fields["source"].annotation)
SCORES = named(Score)
FIGURES = named(Figure)
TABLES = named(Table)
COMPARISONS = named(Claim.model_fields["evidence"].annotation)
TASKS = typing.get_args(LocalTask.model_fields["type"].annotation)
# What a family is called, its base class, its kinds.
FAMILIES = [
    ("augmentation", Masked, AUGMENTATIONS),
    ("encoder", EncoderKind, ENCODERS),
    ("source", (OwnSource, DerivedSource), SOURCES),
    ("score", ScoreKind, SCORES),
    ("figure", FigureKind, FIGURES),
    ("table", TableKind, TABLES),
    ("comparison", Comparison, COMPARISONS),
]


def subclasses(family: type) -> set[type]:
    return {found for child in family.__subclasses__() for found in {child} | subclasses(child)}


@pytest.mark.parametrize(("family", "bases", "kinds"), FAMILIES, ids=[name for name, *_ in FAMILIES])
def test_a_family_has_all_of_its_kinds_in_the_schema(family, bases, kinds):
    assert kinds
    bases = bases if isinstance(bases, tuple) else (bases,)
    every = {
        kind
        for base in bases
        for kind in subclasses(base)
        if set(DISCRIMINATORS) & set(kind.model_fields) and kind.__module__.startswith("selfembed.settings.")
    }
    assert every == set(kinds.values()), f"{family}: a kind is not in its union in the settings, or not of its family"


def test_a_kind_that_lacks_a_fact_is_an_error_at_import():
    with pytest.raises(TypeError, match="New does not define same_text_twice; expected: all that Masked declares"):

        class New(Masked):
            type: typing.Literal["new"]

    with pytest.raises(
        TypeError,
        match=r"NewSource does not define columns, downloaded, label_setting; expected: .*OwnSource",
    ):

        class NewSource(OwnSource):
            type: typing.Literal["new"]
            raw = PythonDocsSource.raw

    with pytest.raises(TypeError, match="NewFigure does not define panels, published; expected: all that FigureKind"):

        class NewFigure(FigureKind):
            draw: typing.Literal["new"]


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_augmentation_makes_pairs_and_has_a_sentence_for_readers(name):
    assert name in crops.AUGMENTATIONS, "no entry in AUGMENTATIONS of augmentations/crops.py"
    assert crops.AUGMENTATIONS[name].takes_packs == issubclass(AUGMENTATIONS[name], Packs)
    assert name in plain_words.SHOWN, "no entry in SHOWN of pages/plain_words.py"
    fields = {field for _, field, *_ in Formatter().parse(plain_words.SHOWN[name]) if field}
    assert fields <= {"passage", "neighbours"}


def test_no_words_or_functions_are_of_an_augmentation_that_does_not_exist():
    assert set(crops.AUGMENTATIONS) == set(plain_words.SHOWN) == set(AUGMENTATIONS)


def class_in_rules(kind: type) -> bool:
    """Whether a rule is for a kind, or for its family."""
    words = "|".join([f'"{name_of(kind)}"', *(rf"\b{found.__name__}\b" for found in kind.__mro__)])
    return re.search(rf"(\.of|named)\([^)]*({words})", RULES) is not None


def has_rule(name: str) -> bool:
    """Whether a rule has a name, by itself or by way of `use rule … as`."""
    return re.search(rf"^(use rule \w+ as|rule) {name}\b", RULES, flags=re.MULTILINE) is not None


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_has_a_rule_and_one_family(name):
    assert class_in_rules(ENCODERS[name]), "no rule in rules/models.smk makes it"
    families = (WithOwnModules, RandomEncoder, EmbeddingsOnly, BagOfWords)
    assert sum(issubclass(ENCODERS[name], family) for family in families) == 1
    assert hasattr(ENCODERS[name], "layers") or "layers" in ENCODERS[name].model_fields


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_has_a_rule_unless_it_is_a_file(name):
    assert name == "file" or class_in_rules(SOURCES[name]), "no rule in rules/corpora.smk makes its raw file or corpus"


@pytest.mark.parametrize("name", SCORES)
def test_a_score_has_a_script_a_rule_and_words_for_its_measures(name):
    kind = SCORES[name]
    assert (ROOT / "scripts" / f"score_{name}.py").is_file(), f"no script score_{name}.py"
    assert has_rule(f"score_{name}"), f"no rule score_{name}"
    assert class_in_rules(kind), "no rule in rules/scores.smk is for it"
    assert set(kind.headings) <= set(measures.MEASURES), "a measure is not in MEASURES of scores/measures.py"
    assert set(kind.headings) <= set(differences.SENTENCES), "a measure has no sentence in evidence/differences.py"


def test_scores_of_pairs_and_sources_of_pairs_name_each_other():
    needed = {name: kind.needs_pairs for name, kind in SCORES.items() if kind.needs_pairs}
    assert needed == {kind.pairs_score: name for name, kind in SOURCES.items() if kind.pairs_score}


@pytest.mark.parametrize("measure", measures.MEASURES)
def test_a_measure_is_about_something_that_reports_can_tell(measure):
    assert measures.MEASURES[measure].about in ("labels", "crops", "found crops", "found texts", "tasks")


@pytest.mark.parametrize("name", TASKS)
def test_a_kind_of_task_is_made_from_a_corpus_or_files(name):
    assert name in local_tasks.KINDS
    assert name in task_files.FILES
    assert name in tasks_from_corpus.MAKERS


KEYS = expansion.flat(Recipe(augmentation="crops").model_dump())
SMOKE_SETTINGS = load(SMOKE)
(ROW, *_) = places.rows_of(expansion.expand(SMOKE_SETTINGS).experiments["augmentations"], SMOKE_SETTINGS)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_a_script_a_rule_and_panels_that_can_be_checked(name):
    kind = FIGURES[name]
    assert (ROOT / "scripts" / f"draw_{name}.py").is_file(), f"no script draw_{name}.py"
    assert has_rule(f"draw_{name}"), f"no rule draw_{name}"
    for role, panel in kind.panels.items():
        assert role in kind.model_fields
        assert {*panel.place, *filter(None, [panel.numeric])} <= set(ROW), "places.rows_of gives no such column"
        assert set(panel.needs) <= set(figure_checks.NEEDS), "no message in NEEDS of study/checks/figures.py"
        assert panel.swept is None or panel.swept in KEYS


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_a_script_and_a_rule(name):
    assert (ROOT / "scripts" / f"lay_out_{name}.py").is_file(), f"no script lay_out_{name}.py"
    assert has_rule(f"lay_out_{name}"), f"no rule lay_out_{name}"


def test_a_comparison_has_a_formula_a_unit_and_words():
    assert set(claims.STATISTICS) == set(COMPARISONS), "STATISTICS of evidence/claims.py has other comparisons"
    for name in COMPARISONS:
        points = [{"label": f"model {i}", "step": "final", "layers": [2], "last_layer": 2} for i in range(3)]
        assert "model 0" in claims.describe_comparison({"compare": name, "points": points})


# Kinds that need the network, or files that are nobody's.
NOT_IN_SMOKE = {"file", "url", "iclr", "hub", "folder"}
USED = {
    "augmentation": {recipe.augmentation.type for recipe in SMOKE_SETTINGS.recipes.values()},
    "encoder": {encoder.type for encoder in SMOKE_SETTINGS.encoders.values()},
    "source": {corpus.source.type for corpus in SMOKE_SETTINGS.corpora.values()},
    "score": {score.type for score in SMOKE_SETTINGS.scores.values()},
    "figure": {figure.draw for figure in SMOKE_SETTINGS.figures.values()},
    "table": {table.lay_out for table in SMOKE_SETTINGS.tables.values()},
    "comparison": {part.compare for claim in SMOKE_SETTINGS.claims.values() for part in claim.evidence},
}


@pytest.mark.parametrize(("family", "kinds"), [(name, kinds) for name, _, kinds in FAMILIES])
def test_the_smoke_config_has_every_kind(family, kinds):
    missing = set(kinds) - USED[family] - NOT_IN_SMOKE
    assert not missing, f"config/smoke.yaml has no {family} {', '.join(missing)}"


def test_every_kind_of_the_schema_is_walked_here():
    def kinds_in(annotation) -> set[type]:
        found = {annotation} if isinstance(annotation, type) and issubclass(annotation, Kind) else set()
        if hasattr(annotation, "model_fields"):
            return found.union(*(kinds_in(field.annotation) for field in annotation.model_fields.values()))
        return found.union(*map(kinds_in, typing.get_args(annotation)))

    walked = {kind for _, _, kinds in FAMILIES for kind in kinds.values()}
    with_discriminator = {kind for kind in kinds_in(Settings) if set(DISCRIMINATORS) & set(kind.model_fields)}
    assert with_discriminator <= walked | {RegistryTask, LocalTask}
