"""Placeholder."""

from burn_verify.report.findings import Findings


def render(findings: Findings) -> str:
    """X."""
    return ""
