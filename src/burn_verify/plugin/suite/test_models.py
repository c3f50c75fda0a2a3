"""Does a model still say the same thing once Burn has turned it into Rust?"""

from collections.abc import Callable

from burn_verify.core.case import Case


def test_model(burn_case: Case, burn_verify: Callable[[Case], None]) -> None:
    """Verify one selected case."""
    burn_verify(burn_case)
