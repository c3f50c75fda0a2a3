"""Labelled data sets, which say whether a model still does its task."""
