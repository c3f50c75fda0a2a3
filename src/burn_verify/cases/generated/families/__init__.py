"""One module an operator family: the specs of its operators, and nothing else."""
