"""Corpora: files read, cleaned, labelled and split."""
