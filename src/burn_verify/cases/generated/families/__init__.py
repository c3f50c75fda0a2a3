"""One module an operator family: the records of its operators, and nothing else."""
