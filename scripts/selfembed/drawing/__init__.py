"""Style and parts of figures."""
