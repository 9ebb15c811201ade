"""A BERT with a bottleneck adapter after each feed-forward block, as a transformers model.

This file is saved with such models, so that they load with trust_remote_code=True.
"""

import torch
from transformers import AutoConfig, AutoModel, BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertOutput


class BertWithAdapterConfig(BertConfig):
    """BERT config with the width of the adapters."""

    model_type = "bert_with_adapter"
    adapter_width: int = 48


class OutputWithAdapter(BertOutput):
    """Output block of a transformer layer with an adapter at the position of Pfeiffer et al. (2020).

    Computes LayerNorm(up(relu(down(LayerNorm(h + r)))) + h + r), where h is the output of the feed-forward block, r its
    input, and both LayerNorms are the same module. This equals the `seq_bn` adapter of the `adapters` library
    (`Adapter.pre_forward`, `forward` and `post_forward` in its `methods/modeling.py`, version 1.0.1).
    """

    def __init__(self, config: BertWithAdapterConfig) -> None:
        super().__init__(config)
        self.adapter_down = torch.nn.Linear(config.hidden_size, config.adapter_width)
        self.adapter_up = torch.nn.Linear(config.adapter_width, config.hidden_size)

    def forward(self, hidden_states: torch.Tensor, input_tensor: torch.Tensor) -> torch.Tensor:
        """Compute the output of the layer, shape (texts, tokens, dim), from hidden vectors and the block's input."""
        hidden_states = self.dropout(self.dense(hidden_states))
        normalised = self.LayerNorm(hidden_states + input_tensor)
        adapted = self.adapter_up(torch.relu(self.adapter_down(normalised))) + hidden_states
        return self.LayerNorm(adapted + input_tensor)


class BertWithAdapter(BertModel):
    """BERT with `OutputWithAdapter` in each layer; otherwise unchanged."""

    config_class = BertWithAdapterConfig

    def __init__(self, config: BertWithAdapterConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config, add_pooling_layer)
        for layer in self.encoder.layer:
            layer.output = OutputWithAdapter(config)
        self.post_init()


AutoConfig.register(BertWithAdapterConfig.model_type, BertWithAdapterConfig, exist_ok=True)
AutoModel.register(BertWithAdapterConfig, BertWithAdapter, exist_ok=True)
BertWithAdapterConfig.register_for_auto_class()
BertWithAdapter.register_for_auto_class("AutoModel")
