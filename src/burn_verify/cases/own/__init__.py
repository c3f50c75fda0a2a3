"""Models of the user's own: what a description beside the model says, and data to feed."""
