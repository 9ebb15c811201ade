"""Word counts beside the vectors of an encoder, as a sentence-transformers module.

This file is saved with models that use it, so it does not import selfembed.
"""

from typing import ClassVar

import torch
from sentence_transformers.base.modules.module import Module
from torch.nn.functional import normalize


class WordCounts(Module):
    """Append the truncated SVD of TF-IDF to text vectors: cosines become weighted means of both cosines.

    Terms are the tokens of the encoder's tokenizer. Both parts are scaled to unit length, the second is multiplied by a
    weight, and the result is scaled to unit length. Nothing is trained after fitting.

    Args:
        embedding_dimension: dimension of the preceding vectors; further dimensions are left out.
        vocabulary_size: number of tokens of the tokenizer.
        terms: number of counted tokens.
        components: number of singular vectors.
        weight: length of the second part, if that of the first is 1.
    """

    config_keys: ClassVar = ["embedding_dimension", "vocabulary_size", "terms", "components", "weight"]

    def __init__(
        self, embedding_dimension: int, vocabulary_size: int, terms: int, components: int, weight: float
    ) -> None:
        super().__init__()
        self.embedding_dimension = embedding_dimension
        self.vocabulary_size = vocabulary_size
        self.terms = terms
        self.components = components
        self.weight = weight
        # Row of a token in the matrix; `terms` for tokens that are not counted.
        self.register_buffer("rows", torch.full((vocabulary_size,), terms))
        self.register_buffer("matrix", torch.zeros(terms, components))  # singular vectors times IDF

    def forward(self, features: dict) -> dict:
        """Extend `sentence_embedding`, shape (texts, dim), by the components of `input_ids`, shape (texts, tokens)."""
        counted = features["attention_mask"].to(self.matrix.dtype)
        counts = counted.new_zeros(counted.shape[0], self.terms + 1)  # `len` would be a constant in ONNX
        counts = counts.scatter_add(1, self.rows[features["input_ids"]], counted)[:, : self.terms]
        frequencies = torch.where(counts > 0, 1 + counts.clamp(min=1).log(), counts)
        words = normalize(frequencies @ self.matrix)
        vectors = normalize(features["sentence_embedding"][:, : self.embedding_dimension])
        features["sentence_embedding"] = normalize(torch.cat([vectors, self.weight * words], dim=1))
        return features

    def get_embedding_dimension(self) -> int:
        """Dimension of the text vectors."""
        return self.embedding_dimension + self.components

    def save(self, output_path: str, *args, safe_serialization: bool = True, **kwargs) -> None:
        """Write settings and buffers."""
        self.save_config(output_path)
        self.save_torch_weights(output_path, safe_serialization=safe_serialization)

    @classmethod
    def load(cls, model_name_or_path: str, **kwargs) -> "WordCounts":
        """Load settings and buffers."""
        names = ("subfolder", "revision", "cache_folder", "token", "local_files_only")
        place = {key: kwargs[key] for key in names if key in kwargs}
        module = cls(**cls.load_config(model_name_or_path, **place))
        return cls.load_torch_weights(model_name_or_path, model=module, **place)
