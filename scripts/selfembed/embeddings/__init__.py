"""Texts as vectors: all layers and poolings in one pass."""
