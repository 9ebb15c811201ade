"""Publish an adapted model on the Hugging Face Hub: what would be uploaded, a search for texts in it, the upload."""
