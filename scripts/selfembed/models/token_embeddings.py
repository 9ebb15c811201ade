"""A token-embedding matrix as a transformers model.

This file is saved with such models, so that they load with trust_remote_code=True.
"""

import torch
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput


class TokenEmbeddingsConfig(PreTrainedConfig):
    """Shape of the matrix."""

    model_type = "token_embeddings"

    def __init__(self, vocab_size: int = 30522, hidden_size: int = 768, **others) -> None:
        super().__init__(**others)
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = 0


class TokenEmbeddings(PreTrainedModel):
    """Token vectors by lookup: no positions, no normalisation, no dropout."""

    config_class = TokenEmbeddingsConfig
    base_model_prefix = "token_embeddings"

    def __init__(self, config: TokenEmbeddingsConfig) -> None:
        super().__init__(config)
        self.word_embeddings = torch.nn.Embedding(config.vocab_size, config.hidden_size)
        self.post_init()

    def get_input_embeddings(self) -> torch.nn.Embedding:
        return self.word_embeddings

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_hidden_states: bool = False,
        return_dict: bool = True,
        token_type_ids: torch.Tensor | None = None,
    ) -> BaseModelOutput:
        """Look up vectors, shape (texts, tokens, dim), of token ids, shape (texts, tokens); token types are ignored."""
        vectors = self.word_embeddings(input_ids)
        return BaseModelOutput(last_hidden_state=vectors, hidden_states=(vectors,) if output_hidden_states else None)


AutoConfig.register(TokenEmbeddingsConfig.model_type, TokenEmbeddingsConfig, exist_ok=True)
AutoModel.register(TokenEmbeddingsConfig, TokenEmbeddings, exist_ok=True)
TokenEmbeddingsConfig.register_for_auto_class()
TokenEmbeddings.register_for_auto_class("AutoModel")
