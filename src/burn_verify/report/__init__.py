"""Reports: pure functions from results and records to text."""
