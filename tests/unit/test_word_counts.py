"""Word counts beside an encoder: fitted, saved, loaded elsewhere, embedded and fine-tuned with.

scikit-learn, on the tokens as words, is the independent implementation.
"""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from small_models import text
from test_encoders import answer_of_a_stranger
from test_own_modules import PROMPTS, WIDTH, embedded, encoded, save, tuned
from with_defaults import prepare

import build_pretrained_model
import build_word_count_model
import import_encoder
from selfembed.augmentations.crops import parts
from selfembed.errors import InputError
from selfembed.models import encoders, fit_word_counts, own_modules

N_TEXTS, COMPONENTS = 60, 5
TEXTS = [text(4 + number % 15, 5 * (number // 15)) for number in range(N_TEXTS)]


def corpus(folder, texts=TEXTS):
    table = pd.DataFrame({"text": texts}).assign(id=None, title=None, label=None)
    prepare(table, minimum_length=0)[0].to_parquet(folder / "corpus.parquet")
    return folder / "corpus.parquet"


def built(folder, texts=TEXTS, held_out=0.0, modules=None, weight=0.5, **settings):
    """Build a base model with word counts; return the folders of the encoder and of the model."""
    if not (folder / "source").is_dir():
        save(folder / "source", modules or [Pooling(WIDTH, "mean"), Normalize()], **settings)
        import_encoder.main(f"--type folder --path {folder}/source --layers 2 --output {folder}/encoder".split())
        build_pretrained_model.main(f"--encoder {folder}/encoder --max-length 64 --output {folder}/base".split())
    words = f"--base {folder}/base --corpus {corpus(folder, texts)} --name counted --max-length 64"
    words += f" --held-out {held_out} --components {COMPONENTS} --weight {weight} --output {folder}/counted"
    build_word_count_model.main(words.split())
    return folder / "source", folder / "counted" / "0"


def by_scikit_learn(folder, texts, fitted_on=TEXTS, prompt=""):
    """The truncated SVD of TF-IDF, with tokens that are in two texts or more as words; unit length."""
    tokenizer = SentenceTransformer(str(folder), device="cpu").tokenizer

    def tokens(one):
        return tokenizer.tokenize(prompt + one)

    counts = TfidfVectorizer(analyzer=tokens, sublinear_tf=True, min_df=2)
    svd = TruncatedSVD(COMPONENTS, algorithm="arpack", random_state=42).fit(counts.fit_transform(fitted_on))
    return normalize(svd.transform(counts.transform(texts)))


@pytest.mark.parametrize(("settings", "prompt"), [({}, ""), ({"prompts": PROMPTS, "default": "query"}, "quick: ")])
def test_vectors_are_those_of_encoder_and_scikit_learn_side_by_side(tmp_path, settings, prompt):
    source, counted = built(tmp_path, weight=0.5, **settings)
    found = embedded(counted, tmp_path, texts=TEXTS)[0, 0]
    words = by_scikit_learn(source, TEXTS, prompt=prompt)
    expected = normalize(np.hstack([encoded(source, TEXTS), 0.5 * words]))
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-5)  # signs of components are arbitrary
    np.testing.assert_allclose(found[:, :WIDTH], expected[:, :WIDTH], atol=1e-5)


def test_held_out_texts_are_not_fitted_on(tmp_path):
    changed = pd.Series(TEXTS)
    others = parts(N_TEXTS, 0.3)[1]
    changed.iloc[others] = [text(20 + number) for number in range(len(others))]
    first = own_modules.checksum(built(tmp_path, held_out=0.3)[1])
    assert own_modules.checksum(built(tmp_path, changed.tolist(), held_out=0.3)[1]) == first
    assert own_modules.checksum(built(tmp_path, changed.tolist(), held_out=0.0)[1]) != first


def test_it_loads_elsewhere_with_its_code_and_here_without(tmp_path):
    _, counted = built(tmp_path)
    elsewhere = SentenceTransformer(str(counted), trust_remote_code=True, device="cpu")
    np.testing.assert_allclose(elsewhere.encode(TEXTS), embedded(counted, tmp_path, texts=TEXTS)[0, 0], atol=1e-5)
    done = answer_of_a_stranger(counted, ", trust_remote_code=True")
    assert done.returncode == 0, done.stderr
    assert "trust_remote_code=True" in (counted / "README.md").read_text(encoding="utf-8")
    (counted / "word_counts.py").write_text("raise SystemExit('code of a folder ran')")
    assert encoders.load_whole(counted).get_embedding_dimension() == WIDTH + COMPONENTS


def test_fine_tuning_changes_the_encoder_alone(tmp_path):
    _, counted = built(tmp_path)
    _, run = tuned(tmp_path, counted, "--keep", "interpolated-0.5", "--guide")
    before, half, after = (encoders.load_whole(place) for place in (counted, run / "interpolated-0.5", run / "final"))
    assert [type(module).__name__ for module in after] == ["Transformer", "Pooling", "Normalize", "WordCounts"]
    for model in (half, after):
        assert torch.equal(model[-1].matrix, before[-1].matrix)
        assert torch.equal(model[-1].rows, before[-1].rows)
    weights = [model[0].model.encoder.layer[0].output.dense.weight.detach() for model in (before, half, after)]
    assert not torch.equal(weights[0], weights[2])
    torch.testing.assert_close(weights[1], (weights[0] + weights[2]) / 2)
    assert own_modules.read(run / "final").words[-1] == f"word counts ({COMPONENTS} components)"
    assert json.loads((run / "run.json").read_text())["own"]["modules"][-1] == f"word counts ({COMPONENTS} components)"


def test_dimensions_that_the_encoder_leaves_out_stay_out(tmp_path):
    source = save(tmp_path / "source", [Pooling(WIDTH, "mean")])
    path = source / "config_sentence_transformers.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"truncate_dim": 7}))
    import_encoder.main(f"--type folder --path {source} --layers 2 --output {tmp_path}/encoder".split())
    build_pretrained_model.main(f"--encoder {tmp_path}/encoder --max-length 64 --output {tmp_path}/base".split())
    _, counted = built(tmp_path)
    found = embedded(counted, tmp_path, texts=TEXTS)[0, 0]
    assert found.shape == (N_TEXTS, 7 + COMPONENTS)
    expected = encoded(source, TEXTS)
    np.testing.assert_allclose(normalize(found[:, :7]), normalize(expected), atol=1e-5)


def test_few_texts_give_fewer_components(tmp_path):
    _, counted = built(tmp_path, TEXTS[:6])
    assert encoders.load_whole(counted)[-1].components == 3


def test_texts_without_common_words_are_refused(tmp_path):
    _, counted = built(tmp_path)
    model = encoders.load_whole(counted)
    with pytest.raises(InputError, match=r"^word counts of 1 texts: no words in several texts; expected"):
        fit_word_counts.fit(model, ["quick brown fox"], 3, 0.5)
