"""Settings as flags that a shell reads back as they were."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from settings_examples import changed, example

from selfembed.study.validation import load
from selfembed.workflow.flags import flags


class Inner(BaseModel):
    """A group inside a group."""

    vector_size: int = 3
    tied: bool = False


class Outer(BaseModel):
    """A setting of every kind."""

    text: str | None = None
    words: list[str] = []
    learning_rate: float | None = None
    whole: bool = False
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(Outer(), "", id="nothing set"),
        pytest.param(Outer(text="a"), "--text a", id="text"),
        pytest.param(Outer(text=""), "--text ''", id="empty text"),
        pytest.param(Outer(text="two words"), "--text 'two words'", id="text with a space"),
        pytest.param(Outer(text="{input} $HOME"), "--text '{input} $HOME'", id="text that means something"),
        pytest.param(Outer(words=["a", "", "b c"]), "--words a '' 'b c'", id="list"),
        pytest.param(Outer(learning_rate=2e-5), "--learning-rate 2e-05", id="number"),
        pytest.param(Outer(learning_rate=0), "--learning-rate 0.0", id="zero is a value"),
        pytest.param(Outer(whole=True), "--whole", id="true is bare"),
        pytest.param(Outer(inner=Inner()), "--vector-size 3", id="group"),
        pytest.param(
            Outer(inner=Inner(vector_size=0, tied=True), text="a"), "--text a --vector-size 0 --tied", id="order"
        ),
    ],
)
def test_flags(settings, expected):
    """Values are quoted, groups are flattened; None, False and empty lists leave no trace."""
    assert flags(settings) == expected


class Chosen(BaseModel):
    """Settings whose defaults are something."""

    size: int | None = 2000
    whole: bool = True
    words: list[str] = ["a"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(Chosen(), "--size 2000 --whole --words a", id="defaults"),
        pytest.param(Chosen(size=None), "--no-size --whole --words a", id="none"),
        pytest.param(Chosen(whole=False), "--size 2000 --no-whole --words a", id="false"),
        pytest.param(Chosen(words=[]), "--size 2000 --whole --words", id="empty list"),
    ],
)
def test_nothing_is_told_where_it_is_not_the_default(settings, expected):
    assert flags(settings) == expected


def test_a_prefix_comes_after_no():
    """As in the options that read it."""
    assert flags(Chosen(size=None, whole=False, words=[]), prefix="my-") == "--no-my-size --no-my-whole --my-words"


@pytest.mark.parametrize(
    ("omitted", "expected"),
    [
        pytest.param((), "--text a --whole --vector-size 3", id="nothing"),
        pytest.param(("text",), "--whole --vector-size 3", id="value"),
        pytest.param(("inner",), "--text a --whole", id="group"),
        pytest.param(("text", "whole", "inner"), "", id="everything"),
    ],
)
def test_omit(omitted, expected):
    """What a script takes from elsewhere can be left out."""
    assert flags(Outer(text="a", whole=True, inner=Inner()), omit=omitted) == expected


def test_a_prefix_tells_two_groups_with_the_same_keys_apart():
    """And comes before the keys of a group inside, too."""
    settings = Outer(text="a", whole=True, inner=Inner())
    assert flags(settings, prefix="other-") == "--other-text a --other-whole --other-vector-size 3"


@given(text=st.text(), words=st.lists(st.text(), min_size=1))
def test_shell_reads_back_what_was_set(text, words):
    """Whatever texts a config holds, the shell's words are these texts."""
    assert shlex.split(flags(Outer(text=text, words=words))) == ["--text", text, "--words", *words]


@given(rate=st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_every_digit(rate):
    """A number survives its way through the command line."""
    _, written = shlex.split(flags(Outer(learning_rate=rate)))
    assert float(written) == rate


def test_flags_of_a_real_encoder():
    """The architecture of a random encoder becomes flags of its own."""
    encoder = load(example()).encoders["tiny"]
    assert flags(encoder, omit=("type", "tokenizer")) == (
        "--layers 2 --hidden-size 32 --attention-heads 4 --intermediate-size 3072 --dropout 0.1 --max-length 64"
    )


def test_flags_of_a_real_recipe():
    """Every default of a recipe is on the printed command line."""
    recipe = load(example()).recipes["crops"]
    assert flags(recipe, omit=("augmentation",)) == (
        "--pooling mean --temperature 0.05 --learning-rate 2e-05 --batch-size 64 --epochs 1 --warmup 0.1"
        " --max-length 512 --held-out 0.0 --precision fp32"
    )


def test_flags_of_a_real_source():
    """Columns that are not set are left out, values of several words are quoted."""
    source = load(changed({"corpora.news.source.unlabelled": ["n/a", "not known"]})).corpora["news"].source
    assert flags(source, omit=("type", "path")) == "--text text --label topic --unlabelled n/a 'not known'"
