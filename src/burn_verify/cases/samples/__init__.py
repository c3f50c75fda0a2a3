"""Data of the user's own: files and folders become inputs of a model, one sample at a time."""
