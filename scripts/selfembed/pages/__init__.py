"""HTML pages and model cards."""
