"""Fit `WordCounts`, the truncated SVD of TF-IDF of an encoder's tokens, on texts."""

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from selfembed.errors import InputError
from selfembed.models.encoders import default_prompt
from selfembed.models.word_counts import WordCounts

IN_TEXTS = 2  # a token in fewer texts is not counted: it is no similarity of texts


def fit(model: SentenceTransformer, texts: list[str], components: int, weight: float) -> WordCounts:
    """Fit word counts on texts, truncated as the model truncates them.

    Term frequency is sublinear; other parameters of TF-IDF are the defaults of scikit-learn.

    Args:
        components: number of singular vectors; at most half of the numbers of texts and of counted tokens.

    Raises InputError if fewer than two tokens are in several texts.
    """
    tokenizer = model.tokenizer
    prompt = default_prompt(model) or ""
    ids = tokenizer([prompt + text for text in texts], truncation=True, max_length=model.max_seq_length)["input_ids"]
    size = max(len(tokenizer), model[0].model.config.vocab_size)
    # Columns are token ids.
    counts = CountVectorizer(analyzer=list, vocabulary=range(size)).transform(ids)
    in_texts = np.bincount(counts.indices, minlength=size)
    in_texts[tokenizer.all_special_ids] = 0
    counted = np.flatnonzero(in_texts >= IN_TEXTS)
    if len(counted) < 2:
        raise InputError(f"word counts of {len(texts)} texts: no words in several texts; expected: texts with words")
    tfidf = TfidfTransformer(sublinear_tf=True)
    weighted = tfidf.fit_transform(counts[:, counted])
    components = min(components, len(texts) // 2, len(counted) // 2)
    # The seed determines only the start vector of ARPACK.
    svd = TruncatedSVD(components, algorithm="arpack", random_state=42).fit(weighted)
    module = WordCounts(model.get_embedding_dimension(), size, len(counted), components, weight)
    module.rows[torch.from_numpy(counted)] = torch.arange(len(counted))
    module.matrix[:] = torch.from_numpy((svd.components_ * tfidf.idf_).T)
    return module
