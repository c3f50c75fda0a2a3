"""Generated graphs of one operator each: declared by records, chosen by covering arrays, built as models."""
