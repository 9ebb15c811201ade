"""Grouping judged by hand: questions where two models disagree, and what the answers say."""
