"""What a graph says about its inputs: sizes of their dimensions and ranges of their values. Pure functions."""
