"""Contrastive losses with in-batch negatives: of all texts of a batch, or without false negatives.

The latter is GISTEmbed (Solatorio 2024, arXiv:2402.16829): a text that a guide, the encoder before fine-tuning, finds
more similar to the anchor than the anchor's own positive is no negative. Besides the other positives, the other anchors
are negatives of an anchor, and the other positives are negatives of its positive.

Both can be the mean over several numbers of first dimensions of the vectors (Matryoshka, Kusupati et al. 2022,
arXiv:2205.13147).
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    GISTEmbedLoss,
    MatryoshkaLoss,
    MultipleNegativesRankingLoss,
)
from sentence_transformers.util import cos_sim

from selfembed.embeddings.forward import Features, encoder_forward
from selfembed.errors import InputError

ROUNDING = 1e-5  # cosines of equal texts differ by less in fp32, where they are padded to different lengths


class Guide:
    """A frozen model as GISTEmbedLoss uses it; not a torch module, so it is neither trained nor part of checkpoints.

    It reads the tokens of the trained model, also masked ones, so both need the same tokenizer, prompt and maximum
    length. It has no dropout and no gradients. MatryoshkaLoss asks for the vectors of the same anchors and positives
    several times, so the last two outputs are kept.
    """

    def __init__(self, model: SentenceTransformer) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = model.tokenizer
        self.max_seq_length = model.max_seq_length
        self.last: list[tuple[torch.Tensor, Features]] = []

    @torch.no_grad()
    def __call__(self, features: Features) -> Features:
        tokens = features["input_ids"]
        known = [found for seen, found in self.last if seen is tokens]
        if not known:
            known = [self.model(features)]
            self.last = [*self.last[-1:], (tokens, known[0])]
        return known[0]


class CrossEntropy(torch.nn.CrossEntropyLoss):
    """Cross-entropy that stores its value for equal finite scores: the mean of log(finite scores of a row)."""

    chance = 0.0

    def forward(self, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Compute the loss of scores, shape (anchors, candidates); candidates with a score of -inf are left out."""
        self.chance = float((~scores.detach().isneginf()).sum(dim=1).log().mean())
        return super().forward(scores, labels)


class GuidedLoss(GISTEmbedLoss):
    """GISTEmbedLoss with a guide that is not a module, and with cosines from one matrix product.

    The original repeats the vectors for every cosine, which takes batch² × dim values. An anchor or positive as similar
    as the own positive, such as the text itself, is left out, too: equal similarities are decided by rounding.

    With several processes, positives are gathered as in MultipleNegativesRankingLoss, but not anchors: the other
    anchors of the own process are negatives.
    """

    def __init__(self, model: SentenceTransformer, guide: Guide, temperature: float, gather: bool) -> None:
        super().__init__(model, guide, temperature, margin=ROUNDING, gather_across_devices=gather)
        self.cross_entropy_loss = CrossEntropy()

    def sim_matrix(self, embed1: torch.Tensor, embed2: torch.Tensor) -> torch.Tensor:
        """Cosines of all pairs, shape (len(embed1), len(embed2))."""
        return cos_sim(embed1, embed2)


def contrastive(
    model: SentenceTransformer,
    temperature: float,
    guide: Guide | None = None,
    matryoshka: Sequence[int] = (),
    gather: bool = False,
) -> torch.nn.Module:
    """Return the loss of a batch of pairs.

    Args:
        guide: decides which texts are no negatives; None: all are.
        matryoshka: numbers of first dimensions. The loss is the mean of those of the full vectors and of their first
            dimensions.
        gather: whether the vectors of all processes are gathered.

    Raises InputError if the vectors do not have more dimensions.
    """
    if guide is not None:
        loss = GuidedLoss(model, guide, temperature, gather)
    else:
        loss = MultipleNegativesRankingLoss(model, scale=1 / temperature, gather_across_devices=gather)
    if not matryoshka:
        return loss
    with model.truncate_embeddings(None):
        dims = [model.get_embedding_dimension(), *matryoshka]
        if max(matryoshka) >= dims[0]:
            raise InputError(f"matryoshka: {max(matryoshka)} dimensions; expected: fewer than the model's {dims[0]}")
        return MatryoshkaLoss(model, loss, dims, [1 / len(dims)] * len(dims))


def at_chance(loss: torch.nn.Module, batch_size: int) -> float:
    """Return what a loss is if all vectors are identical; with a guide, for the last batch that it was computed for.

    It is the logarithm of the number of candidates: of the pairs in the batch or, with a guide, of three times as many
    without false negatives and the texts themselves; at least of two.
    """
    loss = loss.loss if isinstance(loss, MatryoshkaLoss) else loss
    found = loss.cross_entropy_loss.chance if isinstance(loss, GuidedLoss) else np.log(batch_size)
    return max(found, np.log(2))


@contextmanager
def guide_forward(guide: Guide | None, device: torch.device, precision: str, tokens_per_pass: int) -> Iterator[None]:
    """Within the context, a guide is on a device and embeds texts as in `encoder_forward`; it keeps no activations."""
    if guide is None:
        yield
        return
    with encoder_forward(guide.model.to(device), precision, tokens_per_pass, sys.maxsize):
        yield
