"""What is to be expected of a model before anything is built, from what is known of its nodes."""
