"""Embeddings of texts: all layers and poolings in one forward pass."""
