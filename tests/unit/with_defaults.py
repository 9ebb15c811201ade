"""Functions of the library with the settings' defaults for what a test does not say; they have none of their own."""

from selfembed.augmentations import crops, pair_corpora
from selfembed.embeddings import bags_of_words
from selfembed.evidence import claims, differences
from selfembed.jobs.options import defaults
from selfembed.maps import nearest_texts, tsne
from selfembed.maps.sampling import random_rows
from selfembed.pages import interactive_map
from selfembed.scores import scoring
from selfembed.settings.base import Packs
from selfembed.settings.corpora import Columns, Corpus
from selfembed.settings.encoders import HubEncoder, TfidfEncoder
from selfembed.settings.figures import DifferencesTable, InteractiveMapFigure
from selfembed.settings.recipes import Masked, Recipe
from selfembed.settings.scores import Embedding, Split, Threads, Tsne
from selfembed.texts import corpora, splits

TRAINED = defaults(Recipe, "temperature", "learning_rate", "batch_size", "warmup", "precision") | defaults(Masked)
MAX_LENGTH = defaults(HubEncoder)["max_length"]
_, TEST_FRACTION, SPLIT_SEED = defaults(Split).values()
BOOTSTRAP = defaults(DifferencesTable, "resamples", "seed")


def train(model, pairs, seed, **changes):
    from selfembed.training import training

    return training.fine_tune(model, pairs, seed=seed, **TRAINED | changes)


def embed_texts(encoder, texts, layers, poolings, out, max_length=MAX_LENGTH, **changes):
    from selfembed.embeddings import embedding

    return embedding.embed(
        encoder, texts, layers, poolings, out, max_length=max_length, **defaults(Embedding) | changes
    )


def bag_of_words(texts, components=None, normalise=False):
    return bags_of_words.embed(texts, components=components, normalise=normalise, **defaults(TfidfEncoder, "terms"))


def packs(text, *limits, **changes):
    return crops.packs(text, **defaults(Packs) | dict(zip(defaults(Packs), limits, strict=False)) | changes)


def make_pairs(corpus, augmentation, epochs, seed, **changes):
    chosen = defaults(Recipe, "held_out")
    if crops.AUGMENTATIONS[augmentation].takes_packs:
        chosen |= defaults(Packs)
    return crops.make_pairs(corpus, augmentation, epochs=epochs, seed=seed, **chosen | changes)


def crop_corpus(corpus, held_out, size, seed, **changes):
    return pair_corpora.crop_corpus(corpus, held_out=held_out, size=size, seed=seed, **defaults(Packs) | changes)


def title_corpus(corpus, held_out, size, seed):
    return pair_corpora.title_corpus(corpus, held_out=held_out, size=size, seed=seed)


def read_source(path, format=None, **columns):
    return corpora.read_source(path, format=format, **defaults(Columns, "text") | columns)


def prepare(table, **changes):
    keys = ("minimum_length", "minimum_label_count", "deduplicate", "sentences", "drop_repeated")
    cleaning = defaults(Corpus, *keys)
    return corpora.prepare(table, **cleaning | defaults(Columns, "unlabelled") | changes)


def split(n_texts, test_fraction=TEST_FRACTION, seed=SPLIT_SEED):
    return splits.split(n_texts, test_fraction, seed)


def labelled_split(labelled, what="labelled", test_fraction=TEST_FRACTION, seed=SPLIT_SEED):
    return scoring.labelled_split(labelled, split=what, test_fraction=test_fraction, split_seed=seed)


def layout(embeddings, **changes):
    return tsne.layout(embeddings, **defaults(Tsne) | {"threads": defaults(Threads)["score"]} | changes)


def compare(scores, outcomes, against, labels, **changes):
    return differences.compare(scores, outcomes, against=against, labels=labels, **BOOTSTRAP | changes)


def judge(described, scores, outcomes, published, resamples=BOOTSTRAP["resamples"]):
    return claims.judge(described, scores, outcomes, published, **BOOTSTRAP | {"resamples": resamples})


def map_page(title, corpus, maps, colorings, **changes):
    """Neighbours are those of the positions."""
    shown = defaults(InteractiveMapFigure, "points", "characters") | changes
    rows = random_rows(len(corpus), shown.pop("points"))
    neighbors = {name: nearest_texts.nearest_texts(positions[rows]) for name, positions in maps.items()}
    return interactive_map.page(title, corpus, maps, neighbors, colorings, rows=rows, **shown)
