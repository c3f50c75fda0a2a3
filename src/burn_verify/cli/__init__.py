"""The command line."""

from burn_verify.cli.main import main

__all__ = ["main"]
