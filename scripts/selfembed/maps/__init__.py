"""t-SNE positions and clusters of embeddings."""
