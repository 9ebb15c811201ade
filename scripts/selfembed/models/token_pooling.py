"""Pooling that selects one fixed token, as a sentence-transformers module.

This file is saved with models that use it, so it does not import selfembed.
"""

from typing import ClassVar

from sentence_transformers.base.modules.module import Module


class TokenPooling(Module):
    """Select the token at a fixed index, even if it is padding (the last token if the batch is shorter)."""

    config_keys: ClassVar = ["embedding_dimension", "index"]

    def __init__(self, embedding_dimension: int, index: int) -> None:
        super().__init__()
        self.embedding_dimension = embedding_dimension
        self.index = index

    def forward(self, features: dict) -> dict:
        """Set `sentence_embedding`, shape (texts, dim), from `token_embeddings`, shape (texts, tokens, dim)."""
        tokens = features["token_embeddings"]
        features["sentence_embedding"] = tokens[:, min(self.index, tokens.shape[1] - 1)]
        return features

    def get_embedding_dimension(self) -> int:
        """Dimension of the text vectors."""
        return self.embedding_dimension

    def save(self, output_path: str, *args, safe_serialization: bool = True, **kwargs) -> None:
        """Write the settings; there are no weights."""
        self.save_config(output_path)
