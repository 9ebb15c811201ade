"""From a result back to its data, code and settings."""
