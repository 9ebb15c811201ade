"""Grouping judged by hand: questions where two models disagree, spreadsheets with answers, and what they say."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import beta, binom
from sentence_transformers import SentenceTransformer
from settings_examples import WITH_REPORT, changed
from sklearn.metrics.pairwise import cosine_similarity
from small_models import WORDS, small_bert
from with_defaults import prepare

from selfembed import cli
from selfembed.errors import InputError
from selfembed.judging import answers, questions, sheets
from selfembed.maps.nearest_texts import nearest_texts
from selfembed.models import encoders

BEFORE, AFTER = "tiny", "tiny + crops"
N_TEXTS = 80


def choose(label, best):
    """Write the choice of the study in the working directory."""
    found = {"purpose": "both", "keep": BEFORE, "label": label, "best": best, "judged": {}}
    path = Path("results/study/choice.json")
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """What a study leaves behind: a config, a corpus, and two small models that differ."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "study.yaml").write_text(yaml.safe_dump(changed(WITH_REPORT)), encoding="utf-8")
    results = folder / "results/study"
    for path, seed in {"base/tiny/seed-1/0": 1, "tuned/notes/tiny/crops/seed-1/final": 2}.items():
        encoders.save(small_bert(folder / f"tokenizer {seed}", seed=seed), results / "models" / path, "# Card")
    shutil.copytree(results / "models/tuned/notes/tiny/crops/seed-1/final", results / "adapted_model")
    generator = np.random.default_rng(3)
    texts = [" ".join(generator.choice(WORDS, 12)) for _ in range(N_TEXTS - 1)] + ["=1+1 " + "long " * 300]
    table = pd.DataFrame({"text": texts}).assign(id=None, title=None, label=None)
    (results / "corpora").mkdir()
    prepare(table, minimum_length=0)[0].to_parquet(results / "corpora/notes.parquet")
    return folder


@pytest.fixture
def study(finished, tmp_path, monkeypatch):
    """A working directory with a copy of the finished study, whose recommended model is the fine-tuned one."""
    shutil.copytree(finished, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    choose(AFTER, AFTER)
    return tmp_path / "work"


def ask(*arguments):
    """Run the command; return the questions and the key."""
    cli.main(["ask", "study.yaml", *map(str, arguments)])
    return read("study_questions.csv"), json.loads(Path("study_key.json").read_text(encoding="utf-8"))


def read(path):
    return pd.read_csv(path, encoding="utf-8-sig", keep_default_na=False, dtype=str)


def answered(table, given, **dialect):
    """Save questions with answers as a spreadsheet does; return the path."""
    path = Path("study_questions.csv")
    table.assign(closer=given).to_csv(path, index=False, **{"encoding": "utf-8-sig"} | dialect)
    return path


def nearest_by(folder, texts):
    """The ten nearest other texts by sentence-transformers and scikit-learn."""
    vectors = SentenceTransformer(str(folder), device="cpu").encode(texts)
    alike = cosine_similarity(vectors)
    np.fill_diagonal(alike, -np.inf)
    return [[texts[place] for place in np.argsort(-row)[:10]] for row in alike]


# Questions


def test_a_question_shows_what_each_model_alone_finds_near_and_the_key_tells_which(study, capsys):
    table, key = ask("--questions", 30)
    assert capsys.readouterr().out == "study_questions.csv\n"
    assert list(table) == ["number", "text", "a", "b", "closer"]
    assert table["number"].tolist() == [str(number) for number in range(1, 31)]
    assert set(table["closer"]) == {""}
    texts = pd.read_parquet("results/study/corpora/notes.parquet")["text"].tolist()
    models = {"before": key["folders"]["before"], "after": key["folders"]["after"]}
    assert models == {"before": "results/study/models/base/tiny/seed-1/0", "after": "results/study/adapted_model"}
    near = {name: nearest_by(folder, texts) for name, folder in models.items()}
    full = {sheets.cell(text, questions.LONGEST): text for text in texts}
    for row, side in zip(table.to_dict("records"), key["side_of_after"], strict=True):
        place = texts.index(full[row["text"]])
        before, after = near["before"][place], near["after"][place]
        of_after = next(text for text in after if text not in before)
        of_before = next(text for text in before if text not in after)
        assert full[row[side]] == of_after
        assert full[row["b" if side == "a" else "a"]] == of_before
    differ = [len(set(before) - set(after)) for before, after in zip(*near.values(), strict=True)]
    assert key["disagreeing"] == sum(number > 0 for number in differ)
    assert key["differing"] == pytest.approx(np.mean(differ))
    assert (key["texts"], key["seed"], key["before"], key["after"]) == (N_TEXTS, questions.SEED, BEFORE, AFTER)


def test_texts_are_in_random_order_and_the_same_every_time(study):
    first, key = ask()
    texts = pd.read_parquet("results/study/corpora/notes.parquet")["text"].tolist()
    places = [texts.index(text) for text in first["text"] if text in texts]
    assert len(set(places)) == len(places) and places != sorted(places)
    again, same = ask()
    assert again.equals(first) and same == key
    fewer, _ = ask("--questions", 5)
    assert fewer.equals(first[:5])


def test_the_sides_are_balanced_at_random():
    texts = [f"text {number}" for number in range(3000)]
    drawn = np.arange(3000).reshape(-1, 3)
    is_a = np.random.default_rng(questions.SEED).random(1000) < 1 / 2
    table = questions.sheet(texts, drawn, is_a)
    assert ((table["a"] == [texts[place] for place in drawn[:, 2]]) == is_a).all()
    assert ((table["b"] == [texts[place] for place in drawn[:, 2]]) == ~is_a).all()
    assert 0.45 < is_a.mean() < 0.55  # 3 standard deviations
    assert 0.4 < (is_a[1:] == is_a[:-1]).mean() < 0.6


def test_texts_on_which_the_models_agree_are_not_asked():
    before = np.tile(np.arange(10), (4, 1))
    after = before.copy()
    after[1] = after[1][::-1]  # another order of the same texts
    after[2, [0, 4]] = 50, 51
    drawn, differing = questions.draw(before, after, 100)
    assert drawn.tolist() == [[2, 0, 50]]
    assert differing.tolist() == [0, 0, 2, 0]


def test_a_text_is_not_its_own_neighbour_even_beside_copies():
    vectors = np.random.default_rng(1).normal(size=(40, 8)).astype(np.float32)
    vectors[:15] = vectors[0]
    found = nearest_texts(vectors, questions.NEAR)
    assert found.shape == (40, 10)
    assert not (found == np.arange(40)[:, None]).any()
    assert (found[:15] < 15).all()


def test_long_texts_are_shortened_and_formulas_are_text():
    assert sheets.cell("word " * 200, 600) == ("word " * 120).rstrip() + " …"
    assert sheets.cell("word", 600) == "word"
    for text in ("=1+1", "+49 1234", "-5", "@SUM(A1)"):
        assert sheets.cell(text, 600) == f"'{text}"


def test_if_the_encoder_is_kept_the_best_other_model_is_compared(study):
    shutil.rmtree("results/study/adapted_model")
    choose(BEFORE, AFTER)
    _, key = ask("--questions", 3)
    assert key["after"] == AFTER
    assert key["folders"]["after"] == "results/study/models/tuned/notes/tiny/crops/seed-1/final"


def test_questions_without_answers_are_replaced_and_others_are_not(study):
    table, _ = ask("--questions", 4)
    ask("--questions", 5)
    answered(table, ["", "a", "", ""])
    with pytest.raises(InputError, match=r"study_questions.csv: has answers and is not overwritten; expected: "):
        ask("--questions", 6)
    assert read("study_questions.csv")["closer"].tolist() == ["", "a", "", ""]


def test_what_cannot_be_asked_is_one_line(study):
    choose(BEFORE, None)
    with pytest.raises(InputError, match=r"choice.json: no model was better than 'tiny'; expected: one to compare"):
        ask()
    choose(AFTER, "renamed")
    with pytest.raises(InputError, match=r"choice.json: 'renamed' is not a model of study.yaml; expected: tiny, tiny"):
        ask()
    choose(AFTER, AFTER)
    shutil.copytree("results/study/models/base/tiny/seed-1/0", "results/study/adapted_model", dirs_exist_ok=True)
    with pytest.raises(InputError, match=r"adapted_model: the 10 nearest texts are those of .*; expected: models that"):
        ask()
    shutil.rmtree("results/study/adapted_model")
    with pytest.raises(
        InputError, match=r"adapted_model: missing; expected: a finished study \(snakemake adapt .*--conf"
    ):
        ask()
    choose(AFTER, AFTER).unlink()
    with pytest.raises(InputError, match=r"choice.json: missing; expected: a finished study"):
        ask()
    (study / "study.yaml").write_text(yaml.safe_dump(changed({})), encoding="utf-8")
    with pytest.raises(InputError, match=r"study.yaml: report: missing; expected: "):
        ask()
    with pytest.raises(InputError, match=r"'other.yaml' does not exist; expected: a config file"):
        cli.main(["ask", "other.yaml"])


def test_a_corpus_of_few_texts_is_one_line(study):
    path = study / "results/study/corpora/notes.parquet"
    pd.read_parquet(path)[:11].to_parquet(path)
    with pytest.raises(InputError, match=r"notes.parquet: 11 texts; expected: at least 12"):
        ask()


# Answers


@pytest.mark.parametrize(
    "dialect",
    [
        {},
        {"sep": ";", "encoding": "cp1252", "errors": "replace"},
        {"sep": "\t", "encoding": "utf-16"},
        {"lineterminator": "\r\n", "quoting": 1, "encoding": "utf-8"},
    ],
    ids=["as written", "semicolons of a Western spreadsheet", "UTF-16 with tabs", "all cells quoted"],
)
def test_answers_of_any_spreadsheet_count_for_the_model_that_the_key_names(study, capsys, dialect):
    table, key = ask("--questions", 20)
    sides = key["side_of_after"]
    given = [side.upper() for side in sides[:14]] + [{"a": "b", "b": "a"}[side] for side in sides[14:18]] + ["", " "]
    order = np.random.default_rng(1).permutation(20)
    answered(table.iloc[order], [given[place] for place in order], **dialect)
    capsys.readouterr()
    cli.main(["judge", "study_questions.csv"])
    said = capsys.readouterr().out
    assert said.startswith(f"For grouping, {AFTER} is better than {BEFORE}.\n")
    assert "judged closer in 14 of 18 answers: 77.8% (95 % confidence interval 52.4% to 93.6%)" in said
    assert "2 of 20 questions were skipped" in said
    assert f"differ for {key['disagreeing']} of {N_TEXTS} texts" in said
    assert "at most 2.5 %" in said and "results/study/adapted_model" in said


def test_the_verdict_is_worse_or_that_no_difference_can_be_told(study):
    table, key = ask("--questions", 20)
    others = [{"a": "b", "b": "a"}[side] for side in key["side_of_after"]]
    said = answers.judge(answered(table, others))
    assert said[0] == f"For grouping, {AFTER} is worse than {BEFORE}."
    said = answers.judge(answered(table, [*others[:10], *key["side_of_after"][10:]]))
    assert said[0] == f"For grouping, no difference between {AFTER} and {BEFORE} can be told."


def test_invalid_answers_are_one_line_with_their_row(study):
    table, _ = ask("--questions", 4)
    path = answered(table, ["a", "", "c", ""])
    with pytest.raises(InputError, match=r"study_questions.csv: row 4: closer 'c' is invalid; expected: a, b or noth"):
        answers.judge(path)
    with pytest.raises(InputError, match=r"study_questions.csv: no answers; expected: a or b in the column 'closer'"):
        answers.judge(answered(table, ""))
    with pytest.raises(InputError, match=r"row 3: number '1' is invalid; expected: each number once"):
        answers.judge(answered(table.assign(number="1"), "a"))
    table.drop(columns="closer").to_csv(path, index=False)
    with pytest.raises(InputError, match=r"no column 'closer'; expected: number, text, a, b, closer"):
        answers.judge(path)
    with pytest.raises(InputError, match=r"other.csv: does not exist; expected: questions that"):
        cli.main(["judge", "other.csv"])


def test_answers_to_other_questions_are_refused(study):
    table, _ = ask("--questions", 4)
    swapped = table.assign(a=table["b"], b=table["a"])
    for other in (swapped, table.assign(number=["1", "2", "4", "3"]), table.assign(number=["1", "2", "3", "5"])):
        with pytest.raises(InputError, match=r"study_questions.csv: question \d is not that of study_key.json; expec"):
            answers.judge(answered(other, "a"))
    path = answered(table, "a")
    (study / "study_key.json").write_text("{}")
    with pytest.raises(InputError, match=r"study_key.json: damaged; expected: the key that `selfembed ask` wrote"):
        answers.judge(path)
    (study / "study_key.json").unlink()
    with pytest.raises(InputError, match=r"study_key.json: missing; expected: the key that `selfembed ask` wrote"):
        answers.judge(path)


@pytest.mark.parametrize(("n_closer", "n_answers"), [(0, 10), (10, 10), (61, 100), (60, 100), (39, 100), (1, 1)])
def test_the_interval_is_that_of_clopper_and_pearson(n_closer, n_answers):
    found = answers.verdict(n_closer, n_answers)
    low = beta.ppf(0.025, n_closer, n_answers - n_closer + 1) if n_closer else 0
    high = beta.ppf(0.975, n_closer + 1, n_answers - n_closer) if n_closer < n_answers else 1
    assert (found.low, found.high) == pytest.approx((low, high))
    words = {(10, 10): "better", (61, 100): "better", (0, 10): "worse", (39, 100): "worse"}
    assert found.words == words.get((n_closer, n_answers), "not distinguishable")


@pytest.mark.parametrize("n_answers", [6, 20, 100])
def test_random_answers_are_called_better_in_at_most_2_5_percent(n_answers):
    drawn = np.random.default_rng(n_answers).binomial(n_answers, 0.5, size=2000)
    verdicts = {number: answers.verdict(int(number), n_answers).words for number in set(drawn)}
    found = pd.Series([verdicts[number] for number in drawn]).value_counts(normalize=True)
    noise = 3 * np.sqrt(0.025 * 0.975 / 2000)
    assert found.get("better", 0) <= 0.025 + noise
    assert found.get("worse", 0) <= 0.025 + noise
    exact = [binom.pmf(number, n_answers, 0.5) * (words == "better") for number, words in verdicts.items()]
    assert sum(exact) <= 0.025


def test_answers_for_a_better_model_are_called_better():
    drawn = np.random.default_rng(1).binomial(100, 0.7, size=400)
    assert np.mean([answers.verdict(int(number), 100).words == "better" for number in drawn]) > 0.9
