"""The tests that the plugin brings along, for folders that hold none of their own."""
