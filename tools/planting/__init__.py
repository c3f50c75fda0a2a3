"""Faults planted in single nodes of models: which there are, how Burn's side gets them. See ``tools/plant.py``."""
