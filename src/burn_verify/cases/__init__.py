"""The sources of cases, one module for each corpus. Nothing here runs a model of a case."""
