"""Scores on corpora, and tidy tables of scores."""
