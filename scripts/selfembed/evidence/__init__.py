"""Means, differences, intervals and claims from scores, and agreement with published numbers."""
