"""What rules ask about figures and maps."""

from types import SimpleNamespace

import pytest
from settings_examples import changed

from selfembed.settings.figures import DepthFigure
from selfembed.study.expansion import expand
from selfembed.study.validation import load
from selfembed.workflow.figures import Figures
from selfembed.workflow.maps import Maps

MAPPED = {
    "experiments.main.maps": True,
    "experiments.main.corpora": ["news", "notes"],
    "experiments.main.scores": [],
    "experiments.main.models.1.label": "Crops, tuned",
    "figures": {
        "map": {"draw": "maps", "experiment": "main", "score": None},
        "page": {"draw": "interactive_map", "experiment": "main", "clusters": 7, "points": 50},
    },
}
BARS = SimpleNamespace(figure="bars")
TUNED = "tuned/notes/tiny/crops/seed-1/final/mean_last"


def figures(changes=None):
    settings = load(changed(changes or {}))
    return Figures(settings, Maps(settings, expand(settings)))


def maps(changes=None):
    settings = load(changed(MAPPED | (changes or {})))
    return Maps(settings, expand(settings))


@pytest.fixture
def published(tmp_path):
    """A file with published numbers of the example's experiment, as a setting."""
    path = tmp_path / "published.csv"
    path.write_text("experiment,value\nmain,0.5\n")
    return {"published": str(path)}


def test_a_figure_is_drawn_by_the_rule_of_its_kind():
    found = figures()
    assert found.drawn_as("comparison") == "(published/)?(bars)"
    assert found.drawn_as("layers") == "(published/)?(none-of-this-kind)"


def test_files_of_a_figure():
    assert figures().files("bars") == ["<figures>/bars.png", "<figures>/bars.pdf"]
    assert figures(MAPPED).files("page") == ["<figures>/maps/news.html", "<figures>/maps/notes.html"]


def test_the_menu_of_the_report_has_titles_and_each_entry_once():
    assert figures().label(BARS) == {"figure": "bars"}
    titled = {name: {"draw": "comparison", "experiment": "main", "title": "Gains"} for name in ("bars", "more")}
    found = figures({"figures": titled | {"one": titled["bars"] | {"title": "Losses"}}})
    names = ["bars", "more", "one", "published/one"]
    labels = [found.label(SimpleNamespace(figure=name))["figure"] for name in names]
    assert labels == ["Gains (bars)", "Gains (more)", "Losses", "Losses (published numbers)"]
    page = {"draw": "interactive_map", "experiment": "main", "title": "Notes"}
    news = SimpleNamespace(corpus="news")
    assert maps({"figures": {"page": page}}).page_label(news) == {"figure": "Notes (map of news)"}
    assert maps().page_label(news) == {"figure": "Map of news"}


def test_all_files_have_the_comparison_with_published_numbers_if_there_are_some(published):
    bars = ["<figures>/bars.png", "<figures>/bars.pdf"]
    assert figures().all_files() == bars
    comparison = ["<figures>/paper_comparison.png", "<figures>/paper_comparison.pdf"]
    assert figures(published).all_files() == bars + comparison


def test_a_figure_has_a_published_version_if_its_numbers_were_published(published):
    other = {"experiments.other": {"corpora": ["news"], "models": [{"encoder": "tiny", "recipe": "crops"}]}}
    shown = {
        "bars": {"draw": "comparison", "experiment": "main"},
        "more_bars": {"draw": "comparison", "experiment": "other"},
        "loss": {"draw": "losses", "experiment": "main"},
    }
    found = figures(published | other | {"figures": shown})
    assert found.published_files() == ["<figures>/published/bars.png", "<figures>/published/bars.pdf"]
    assert figures(other | {"figures": shown}).published_files() == []


def test_a_figure_of_depth_leaves_out_what_was_not_published(published):
    sweep = {"encoder": "tiny", "recipe": "crops", "sweep": {"unfrozen_layers": [1]}}
    depth = {"depth": {"draw": "depth", "freezing": "frozen", "layers": "main"}}
    experiments = {
        "experiments.frozen": {"corpora": ["news"], "models": [sweep]},
        "experiments.main.layers": "all",
    }
    found = figures(published | experiments | {"figures": depth})
    assert found.published_files() == ["<figures>/published/depth.png", "<figures>/published/depth.pdf"]


def test_a_figure_reads_the_table_of_its_experiment(published):
    found = figures(published)
    assert found.table()(BARS) == "<results>/tables/main.csv"
    assert found.table(suffix="_losses")(BARS) == "<results>/tables/main_losses.csv"
    assert found.published()(BARS) == "<results>/published/main.csv"
    assert figures().published()(BARS) == []


def test_a_published_figure_reads_published_numbers_alone(published):
    found, wildcards = figures(published), SimpleNamespace(figure="published/bars")
    assert found.table()(wildcards) == "<results>/published/main.csv"
    assert found.published()(wildcards) == []


def test_a_role_that_a_figure_leaves_out_has_no_table(published):
    sweep = {"encoder": "tiny", "recipe": "crops", "sweep": {"unfrozen_layers": [1]}}
    changes = {
        "experiments.frozen": {"corpora": ["news"], "models": [sweep]},
        "experiments.main.layers": "all",
        "figures": {"depth": {"draw": "depth", "freezing": "frozen", "layers": "main"}},
    }
    found, wildcards = figures(published | changes), SimpleNamespace(figure="depth")
    assert found.table("freezing")(wildcards) == "<results>/tables/frozen.csv"
    assert found.table("benchmark")(wildcards) == []
    assert found.published("benchmark")(wildcards) == []
    inputs = {name: path(wildcards) for name, path in found.tables(DepthFigure).items()}
    assert list(inputs) == [*DepthFigure.panels, *(f"published_{role}" for role in DepthFigure.panels)]
    assert inputs["freezing"] == "<results>/tables/frozen.csv"
    assert inputs["published_layers"] == "<results>/published/main.csv"


def test_flags_colors_title_and_caption_of_a_figure():
    shown = {
        "figures.bars.title": "Bars",
        "figures.bars.caption": "One line\n.. and no directive",
        "experiments.main.models.0.color": "#112233",
        "experiments.main.models.1.color": "#aabbcc",
        "experiments.main.models.1.label": "My model",
    }
    found = figures(shown)
    assert found.flags("pooling", "score")(BARS) == "--pooling mean --score knn"
    assert found.colors(BARS) == "--colors 'tiny=#112233' 'My model=#aabbcc'"
    assert found.title(BARS) == "Bars"
    assert found.caption(BARS) == "One line .. and no directive"
    assert (figures().colors(BARS), figures().title(BARS), figures().caption(BARS)) == ("", "bars", "")


def test_classes_are_read_from_descriptions():
    found = figures({"figures.sizes": {"draw": "classes", "corpora": ["news", "docs"]}})
    assert found.class_sizes(SimpleNamespace(figure="sizes")) == [
        "<results>/descriptions/news_classes.csv",
        "<results>/descriptions/docs_classes.csv",
    ]


def test_a_figure_of_maps_shows_clusters_where_there_are_no_labels():
    found, wildcards = figures(MAPPED), SimpleNamespace(figure="map")
    clusters = [f"<results>/clusters/notes/{TUNED}.parquet", f"<results>/clusters/notes/{TUNED}.csv"]
    assert found.map_table(wildcards) == "<results>/tables/main_maps.parquet"
    assert found.clusters(wildcards) == clusters
    words = found.cluster_entries(wildcards, SimpleNamespace(clusters=["a.parquet", "a.csv"]))
    assert words == "--entry notes a.parquet a.csv"


def test_a_figure_of_maps_reads_scores_for_its_corners_if_it_shows_some():
    assert figures(MAPPED).corner_table(SimpleNamespace(figure="map")) == []
    scored = MAPPED | {"experiments.main.scores": ["knn"], "experiments.main.corpora": ["news"]}
    scored |= {"figures": {"map": {"draw": "maps", "experiment": "main"}}}
    assert figures(scored).corner_table(SimpleNamespace(figure="map")) == "<results>/tables/main.csv"


def test_maps_are_of_the_first_seed_of_every_model_and_corpus():
    found, wildcards = maps(), SimpleNamespace(experiment="main")
    assert found.files(wildcards) == [
        "<results>/maps/news/base/tiny/seed-1/0/mean_last.parquet",
        "<results>/maps/notes/base/tiny/seed-1/0/mean_last.parquet",
        "<results>/maps/news/tuned/news/tiny/crops/seed-1/final/mean_last.parquet",
        f"<results>/maps/notes/{TUNED}.parquet",
    ]
    assert found.names(wildcards) == "--series tiny tiny 'Crops, tuned' 'Crops, tuned' --corpora news notes news notes"


def test_an_interactive_map_shows_all_models_and_the_clusters_of_the_last():
    found, notes = maps(), SimpleNamespace(corpus="notes")
    assert list(found.interactive) == ["news", "notes"]
    assert found.shown_files(notes) == [
        "<results>/maps/notes/base/tiny/seed-1/0/mean_last.parquet",
        f"<results>/maps/notes/{TUNED}.parquet",
    ]
    assert found.shown_names(notes) == "tiny 'Crops, tuned'"
    assert found.shown_clusters(notes) == [
        f"<results>/clusters/notes/{TUNED}.parquet",
        f"<results>/clusters/notes/{TUNED}.csv",
    ]
    assert found.shown_neighbors(notes) == [
        "<results>/neighbors/notes/base/tiny/seed-1/0/mean_last.parquet",
        f"<results>/neighbors/notes/{TUNED}.parquet",
    ]
    assert found.page_flags("points")(notes) == "--points 50"
    assert found.page_flags("points", "characters")(notes) == "--points 50 --characters 200"
    assert (found.page_title(notes), found.page_caption(notes)) == ("Map of notes", "")
    assert found.cluster_flags(notes) == "--clusters 7"
    assert found.cluster_flags(SimpleNamespace(corpus="docs")) == ""


def test_an_interactive_map_has_further_columns_of_the_file_of_its_texts():
    source = {"type": "file", "path": "news.tsv", "text": "body", "colors": ["year", "the venue"]}
    sample = {"source": {"type": "sample", "corpus": "news", "size": 9}}
    found = maps({"corpora.news": {"source": source, "deduplicate": False}, "corpora.few": sample})
    for name in ("news", "few"):
        corpus = SimpleNamespace(corpus=name)
        assert found.color_file(corpus) == "news.tsv"
        expected = "--text body --colors year 'the venue' --minimum-length 1 --no-deduplicate"
        assert found.color_flags(corpus) == expected
    without = SimpleNamespace(corpus="notes")
    assert (found.color_file(without), found.color_flags(without)) == ([], "")


def test_an_interactive_map_names_steps_where_a_label_has_several():
    found = maps({"experiments.main.models.1.steps": [5, "final"]})
    names = found.shown_names(SimpleNamespace(corpus="notes"))
    assert names == "tiny 'Crops, tuned, step 5' 'Crops, tuned, step final'"
