"""The interactive map as a file: what is packed into it comes out again, and no text can get out of its block."""

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import small_pages
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from with_defaults import map_page

import draw_interactive_map
from selfembed.drawing import figures
from selfembed.errors import InputError
from selfembed.maps import nearest_texts
from selfembed.pages import interactive_map, templates
from selfembed.pages.interactive_map import Coloring


class Elements(HTMLParser):
    """Every element of a page with its attributes and its text."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[list] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append([tag, dict(attributes), ""])
        self.inside = True

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1][2] += data

    def text(self, name: str) -> str:
        return next(text for _, attributes, text in self.found if attributes.get("id") == name)

    def numbers(self, name: str, dtype: str = "<u2") -> np.ndarray:
        return np.frombuffer(base64.b64decode(self.text(name)), dtype=dtype)


@pytest.fixture(scope="module")
def page():
    return map_page("A <b>map</b>", small_pages.corpus(), small_pages.maps(), small_pages.colorings())


@pytest.fixture(scope="module")
def elements(page):
    return Elements(page)


@pytest.mark.slow
def test_texts_come_out_as_they_went_in(elements):
    texts = json.loads(elements.text("texts"))
    corpus = small_pages.corpus()
    expected = {"ids": corpus["id"], "titles": corpus["title"], "texts": corpus["text"]}
    assert texts == {name: column.tolist() for name, column in expected.items()} | {"values": [None, None]}
    assert json.loads(elements.text("facts"))["title"] == "A <b>map</b>"


@pytest.mark.slow
def test_no_text_makes_an_element(elements):
    """Neither a script, nor an image, nor anything else: the elements are those of a page with harmless texts."""
    corpus = small_pages.corpus()
    corpus[["title", "text"]] = "harmless"
    labels = [Coloring("Label", ["harmless"] * len(corpus)), small_pages.colorings()[1]]
    harmless = Elements(map_page("A map", corpus, small_pages.maps(), labels))
    assert [tag for tag, *_ in elements.found] == [tag for tag, *_ in harmless.found]
    assert not [tag for tag, *_ in elements.found if tag in ("img", "link", "iframe", "b")]


def test_nothing_comes_from_elsewhere(elements):
    for tag, attributes, _ in elements.found:
        assert not {"src", "href", "srcset", "action"} & set(attributes), tag
    style = next(text for tag, _, text in elements.found if tag == "style")
    assert "@import" not in style and "url(" not in style


def test_the_policy_allows_the_two_scripts_in_the_page_and_no_other(elements):
    scripts = [text for tag, attributes, text in elements.found if tag == "script" and "type" not in attributes]
    policy = next(attributes["content"] for tag, attributes, _ in elements.found if attributes.get("http-equiv"))
    assert len(scripts) == 2
    allowed = re.search("script-src ([^;]*);", policy)[1].split()
    assert allowed == ["'unsafe-eval'", *map(templates.source_hash, scripts)]
    assert policy.startswith("default-src 'none';")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_of_any_text_is_safe_in_html_and_comes_out_again(text):
    written = interactive_map.html_json({"text": text})
    assert json.loads(written) == {"text": text}
    assert not re.search("[<>&\u2028\u2029]", written)


numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
positions = arrays.arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=numbers)


@given(positions)
def test_packed_positions_are_exact_to_half_a_step(positions):
    packed = interactive_map.pack(interactive_map.quantise(positions), "<u2")
    found = np.frombuffer(base64.b64decode(packed), dtype="<u2").reshape(-1, 2).astype(float)
    low, high = positions.min(axis=0), positions.max(axis=0)
    span = (high - low).max() or 1
    assert np.allclose(found / 65535 - 0.5, (positions - (low + high) / 2) / span, atol=0.51 / 65535)


@given(st.floats(0, 2 * np.pi), st.booleans())
def test_a_turned_or_mirrored_map_is_turned_back(angle, mirrored):
    first = np.random.default_rng(1).normal(size=(30, 2)) * [3, 1]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag(
        [1, -1 if mirrored else 1]
    )
    _, second = interactive_map.aligned([first, first @ turn + 7])
    assert np.allclose(second, first - first.mean(axis=0))


def test_every_text_keeps_its_class_and_large_classes_come_first(elements):
    for number, coloring in enumerate(small_pages.colorings()):
        entries = json.loads(elements.text("facts"))["colorings"][number]["classes"]
        names = [entry["name"] for entry in entries]
        assert [names[place] for place in elements.numbers(f"classes-{number}")] == list(coloring.classes)
        counts = [entry["count"] for entry in entries if entry["name"] is not None]
        assert counts == sorted(counts, reverse=True)
        assert None not in names[:-1]


def test_a_name_stands_where_most_texts_of_its_class_are():
    """Two groups of a class: neither between them, nor in the smaller one."""
    generator = np.random.default_rng(1)
    many, few = generator.normal([10_000, 50_000], 900, (70, 2)), generator.normal([60_000, 8_000], 900, (30, 2))
    other = generator.normal([30_000, 30_000], 900, (20, 2))
    positions = np.rint(np.concatenate([many, few, other])).astype(np.uint16)
    places = interactive_map.densest_places(positions, np.repeat([0, 1], [100, 20]))
    assert np.abs(places - np.array([[10_000, 50_000], [30_000, 30_000]])).max() < 1000


def test_places_of_names_are_those_of_the_named_colouring(elements):
    facts = json.loads(elements.text("facts"))
    assert facts["named"] == 1 and len(elements.numbers("names-0")) == len(elements.numbers("names-1")) == 2 * 5


@pytest.mark.slow
def test_of_many_classes_the_rare_ones_are_one(monkeypatch):
    """A column of tags or names may have thousands; colours of a hundred take seconds to find."""
    monkeypatch.setattr(interactive_map, "MOST_CLASSES", 10)
    classes = [f"class {row % 10}" if row < 20 else f"rare {row}" for row in range(70)]
    entry, numbers = interactive_map.legend(Coloring("Label", classes), np.arange(70))
    names = [each["name"] for each in entry["classes"]]
    assert len(names) == 11 and names[0] == "50 rarer classes"
    assert [names[number] for number in numbers] == classes[:20] + ["50 rarer classes"] * 50


@pytest.mark.slow
def test_values_of_a_column_are_coloured_by_a_scale_or_by_class():
    years = pd.Series(["2021", None, "2019", "2020", "2020", "unknown", *["2019"] * 30])
    coloring = interactive_map.column_coloring("Year", years)
    assert coloring.ranges == ["2019", "2020", "2021"] and "no range, such as words among numbers: 1" in coloring.note
    entry, numbers = interactive_map.legend(coloring, np.arange(len(years)))
    assert [(each["name"], each["count"]) for each in entry["classes"]] == [
        ("2019", 31),
        ("2020", 2),
        ("2021", 1),
        (None, 2),
    ]
    assert numbers[:6].tolist() == [2, 3, 0, 1, 1, 3]
    assert coloring.values[5] == "unknown" and coloring.values[1] is None
    assert entry["classes"][-1]["light"] == interactive_map.GREY["light"]
    greens = [int(each["light"][3:5], 16) for each in entry["classes"][:3]]
    assert greens == sorted(greens), "from dark to light"
    venues = interactive_map.column_coloring("Venue", pd.Series(["ICLR", " ", "<b>", "ICLR"]))
    assert venues.ranges is None and list(venues.classes) == ["ICLR", None, "<b>", "ICLR"]


def test_of_many_values_of_a_column_the_rare_ones_are_grey(monkeypatch):
    monkeypatch.setattr(interactive_map, "MOST_VALUES", 2)
    coloring = interactive_map.column_coloring("Author", pd.Series(["a", "a", "b", "b", "c", "d", "e"]))
    entry, _ = interactive_map.legend(coloring, np.arange(7))
    colors = {each["name"]: (each["count"], each["light"]) for each in entry["classes"]}
    assert colors["3 rarer classes"] == (3, interactive_map.GREY["light"]) and len(colors) == 3
    assert coloring.values[4] == "c"


@pytest.mark.slow
def test_colours_are_those_of_the_static_maps():
    names = ["a", "b", "c"]
    expected = figures.palette(names)
    assert {name: colors["light"] for name, colors in interactive_map.class_colors(names).items()} == expected


@pytest.mark.slow
def test_of_a_large_corpus_a_sample_is_shown_and_the_page_says_so():
    page = map_page("Map", small_pages.corpus(), small_pages.maps(), small_pages.colorings(), points=25, characters=12)
    found = Elements(page)
    texts, facts = json.loads(found.text("texts")), json.loads(found.text("facts"))
    assert len(texts["texts"]) == 25 and facts["total"] == 60
    assert len(found.numbers("positions-0")) == 50 and len(found.numbers("classes-1")) == 25
    assert sum(entry["count"] for entry in facts["colorings"][0]["classes"]) == 25
    assert max(map(len, texts["texts"])) <= 13
    assert set(texts["titles"]) <= {
        title if len(title) <= 12 else f"{title[:12].rstrip()}…" for title in small_pages.corpus()["title"]
    }


def test_a_corpus_without_titles_has_none():
    corpus = small_pages.corpus().assign(title=None)
    page = map_page("Map", corpus, small_pages.maps(), small_pages.colorings()[1:])
    assert json.loads(Elements(page).text("texts"))["titles"] is None


def test_more_texts_than_a_browser_can_read_are_refused(monkeypatch):
    monkeypatch.setattr(interactive_map, "MOST_CHARACTERS", 1000)
    coloring = Coloring("Cluster", ["a"] * 60)
    message = r"have \d,\d+ characters, which browsers cannot read; expected: at most 1,000, by fewer `points` or"
    with pytest.raises(InputError, match=message):
        map_page("Map", small_pages.corpus(), small_pages.maps(), [coloring])


# The script ---------------------------------------------------------------------------------------------------


@pytest.fixture
def words(tmp_path):
    """Command-line arguments of files on disk, and the page to be."""
    corpus = small_pages.corpus().assign(label=small_pages.colorings()[0].classes)
    corpus.to_parquet(tmp_path / "corpus.parquet")
    for name, positions in small_pages.maps().items():
        corpus[["id"]].assign(x=positions[:, 0], y=positions[:, 1]).to_parquet(tmp_path / f"{name}.parquet")
        found = list(nearest_texts.nearest_texts(positions))
        corpus[["id"]].assign(neighbors=found).to_parquet(tmp_path / f"{name}_neighbors.parquet")
    corpus[["id"]].assign(cluster=np.arange(60) % 2).to_parquet(tmp_path / "clusters.parquet")
    pd.DataFrame({"cluster": [0, 1], "name": ["even, pair", "odd, <i>"], "texts": 30}).to_csv(tmp_path / "names.csv")
    paths = {name: str(tmp_path / name) for name in ("corpus.parquet", "clusters.parquet", "names.csv", "map.html")}
    return [
        *("--maps", str(tmp_path / "Before.parquet"), str(tmp_path / "After.parquet"), "--models", "Before", "After"),
        *("--neighbors", str(tmp_path / "Before_neighbors.parquet"), str(tmp_path / "After_neighbors.parquet")),
        *("--corpus", paths["corpus.parquet"], "--clusters", paths["clusters.parquet"]),
        *(paths["names.csv"], "--title", "Map of a corpus", "--output", paths["map.html"]),
    ]


@pytest.mark.slow
def test_the_script_draws_labels_and_clusters_the_same_twice(words, tmp_path):
    pages = []
    for _ in range(2):
        draw_interactive_map.main(words)
        pages.append((tmp_path / "map.html").read_bytes())
    assert pages[0] == pages[1]
    facts = json.loads(Elements(pages[0].decode()).text("facts"))
    assert facts["models"] == ["Before", "After"]
    assert [each["name"] for each in facts["colorings"]] == ["Label", "Cluster"]
    assert {entry["name"] for entry in facts["colorings"][1]["classes"]} == {"even, pair", "odd, <i>"}


def test_a_corpus_without_labels_is_coloured_by_cluster_alone(words, tmp_path):
    path = tmp_path / "corpus.parquet"
    pd.read_parquet(path).assign(label=None).to_parquet(path)
    draw_interactive_map.main(words)
    facts = json.loads(Elements((tmp_path / "map.html").read_text()).text("facts"))
    assert [each["name"] for each in facts["colorings"]] == ["Cluster"]


@pytest.fixture
def file(words, tmp_path):
    """The file of the corpus, with a row that is no text of it, in another order; and the flags for its columns."""
    corpus = pd.read_parquet(tmp_path / "corpus.parquet")[["id", "text"]].iloc[::-1]
    corpus = corpus.assign(year=[f"20{10 + row % 5}" for row in range(60)], venue=small_pages.HOSTILE[0])
    empty = pd.DataFrame({"id": ["x"], "text": ["  "], "year": ["1999"], "venue": ["none"]})
    pd.concat([empty, corpus]).to_csv(tmp_path / "source.csv", index=False)
    return [*words, "--source", str(tmp_path / "source.csv"), "--id", "id", "--colors", "year", "venue"]


@pytest.mark.slow
def test_every_text_has_the_cells_of_its_row_in_the_file(file, tmp_path):
    draw_interactive_map.main(file)
    found = Elements((tmp_path / "map.html").read_text())
    facts, texts = json.loads(found.text("facts")), json.loads(found.text("texts"))
    assert [each["name"] for each in facts["colorings"]] == ["Label", "Cluster", "year", "venue"]
    cells = pd.read_csv(tmp_path / "source.csv", dtype=str).set_index("id").loc[texts["ids"]]
    assert texts["values"] == [None, None, cells["year"].tolist(), cells["venue"].tolist()]
    names = [entry["name"] for entry in facts["colorings"][2]["classes"]]
    assert [names[number] for number in found.numbers("classes-2")] == cells["year"].tolist()


def test_another_file_than_that_of_the_corpus_is_told_in_a_line(file, tmp_path):
    path = tmp_path / "source.csv"
    pd.read_csv(path).iloc[:-1].to_csv(path, index=False)
    with pytest.raises(InputError, match=r"source.csv: text 't0' of the corpus is missing; expected: the file of the"):
        draw_interactive_map.main(file)
    with pytest.raises(InputError, match=r"source.csv: no column 'yeer' for 'color: yeer'; columns: id, text, year, v"):
        draw_interactive_map.main([*file, "--colors", "yeer"])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("After", lambda table: table.iloc[:-1], "After.parquet: texts differ from the corpus"),
        ("clusters", lambda table: table.iloc[::-1], "clusters.parquet: texts differ from the corpus"),
        ("After_neighbors", lambda table: table.iloc[:-1], "After_neighbors.parquet: texts differ from the corpus"),
        (
            "After",
            lambda table: table.drop(columns="y"),
            "After.parquet: cannot be read as a table with",
        ),
    ],
)
def test_a_broken_input_is_told_in_a_line(words, tmp_path, name, change, message):
    path = tmp_path / f"{name}.parquet"
    change(pd.read_parquet(path)).to_parquet(path)
    with pytest.raises(InputError, match=message) as caught:
        draw_interactive_map.main(words)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "map.html").exists()


def test_a_name_for_every_map(words):
    with pytest.raises(
        InputError, match="--models: 1 names for 2 maps and 2 tables of neighbours; expected: a name for each"
    ):
        draw_interactive_map.main([word for word in words if word != "After"])
