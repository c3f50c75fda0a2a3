"""Parts of `tools/inject.py`: which faults there are, how one is injected, and what is right after each."""
