"""What `gate.py` plants, and what it makes of the records."""
