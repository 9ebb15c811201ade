"""Scores on corpora, and their tidy rows."""
