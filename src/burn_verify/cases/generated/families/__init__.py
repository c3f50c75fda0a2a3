"""One module an operator family: with the specs of its operators."""
