"""Small encoders that tests build in a second."""

from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer
from transformers import DistilBertConfig, DistilBertModel

from selfembed.embeddings import embedding
from selfembed.models import encoders
from selfembed.training import tokenization

SENTENCE = "the quick brown fox jumps over a lazy dog while many small models learn to embed short texts well"
WORDS = SENTENCE.split(" ")


def text(n_words: int, start: int = 0) -> str:
    """A text of `n_words` words."""
    return " ".join(WORDS[(start + step) % len(WORDS)] for step in range(n_words))


def interrupt_in_third_block(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Interrupt the embedding of texts once, in its third block; return the growing list of sizes of blocks."""
    whole, seen = embedding.embed, []

    def dies_in_the_third_block(encoder, texts, *arguments, **options):
        seen.append(len(texts))
        if len(seen) == 3:
            raise KeyboardInterrupt
        whole(encoder, texts, *arguments, **options)

    monkeypatch.setattr(embedding, "embed", dies_in_the_third_block)
    return seen


def tokenizer_folder(folder: Path) -> Path:
    """A tokenizer that knows WORDS."""
    tokenization.train_tokenizer([text(40)] * 3, vocabulary_size=400).save_pretrained(folder)
    return folder


def small_bert(folder: Path, seed: int = 0, dropout: float = 0.1, max_length: int = 64) -> SentenceTransformer:
    """Two layers of width 16."""
    return encoders.random_bert(
        tokenizer_folder(folder),
        seed=seed,
        max_length=max_length,
        layers=2,
        hidden_size=16,
        attention_heads=2,
        intermediate_size=32,
        dropout=dropout,
    )


def small_distilbert(folder: Path) -> SentenceTransformer:
    """Two layers of width 16, of an architecture whose config names things otherwise; `folder` gets its checkpoint."""
    config = DistilBertConfig(n_layers=2, dim=16, n_heads=2, hidden_dim=32, vocab_size=400)
    DistilBertModel(config).save_pretrained(folder)
    tokenizer_folder(folder)
    return encoders.assemble(encoders.load(folder), "mean", 64)
