"""Where cases come from: one module a corpus. Descriptions only; nothing here runs a model."""
