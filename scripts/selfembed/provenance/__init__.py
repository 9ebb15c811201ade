"""Lineage and verification of results."""
