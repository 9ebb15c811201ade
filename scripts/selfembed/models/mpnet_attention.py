"""MPNet's attention as one operation of PyTorch, which transformers writes out in steps.

The relative position bias and the mask of padding are added once per forward pass and shared by all layers as the
additive mask of scaled-dot-product attention. Names of weights, the config and saved files do not change.

On CPUs, PyTorch has a fused kernel only without gradients. With gradients, its steps are no faster than those of
transformers, and slower in bf16 (`bench/attention.py`), so these stay.
"""

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import MPNetModel, PreTrainedModel
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder, MPNetSelfAttention

LEAST = torch.finfo(torch.bfloat16).min  # finite in both precisions


def has_kernel(hidden_states: torch.Tensor) -> bool:
    """Return whether PyTorch has a fused kernel for attention to these vectors with an additive mask."""
    return hidden_states.device.type != "cpu" or not torch.is_grad_enabled()


class FusedSelfAttention(MPNetSelfAttention):
    """Self-attention whose mask contains the position bias."""

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_bias: torch.Tensor | None = None,
        output_attentions: bool = False,
        **others,
    ) -> tuple[torch.Tensor, ...]:
        """Attend, shape (texts, tokens, dim); in steps if there is no kernel or attention weights are asked for."""
        if output_attentions or not has_kernel(hidden_states):
            return super().forward(hidden_states, attention_mask, position_bias, output_attentions)
        heads = (*hidden_states.shape[:-1], self.num_attention_heads, self.attention_head_size)
        query, key, value = (part(hidden_states).view(heads).transpose(1, 2) for part in (self.q, self.k, self.v))
        dropout = self.dropout.p if self.training else 0.0
        context = scaled_dot_product_attention(query, key, value, attention_mask, dropout)
        return (self.o(context.transpose(1, 2).flatten(2)),)


class EncoderWithOneMask(MPNetEncoder):
    """The layers of MPNet, with the position bias in the mask."""

    def forward(self, hidden_states: torch.Tensor, attention_mask: torch.Tensor | None = None, **arguments):
        """Run all layers with a mask of shape (texts or 1, heads, tokens, tokens)."""
        mask = super().compute_position_bias(hidden_states[:1])
        if attention_mask is not None:
            mask = mask + attention_mask.clamp(min=LEAST)
        if has_kernel(hidden_states) and torch.is_autocast_enabled(mask.device.type):
            mask = mask.to(torch.get_autocast_dtype(mask.device.type))  # once, not in every layer
        return super().forward(hidden_states, attention_mask=mask, **arguments)

    def compute_position_bias(self, *arguments, **others) -> None:
        """Return no bias to add in the layers."""


def fuse(encoder: PreTrainedModel) -> None:
    """Change the attention of an MPNet in place; other encoders stay as they are."""
    if not isinstance(encoder, MPNetModel):
        return
    encoder.encoder.__class__ = EncoderWithOneMask  # keeps weights and their names
    for layer in encoder.encoder.layer:
        layer.attention.attn.__class__ = FusedSelfAttention
