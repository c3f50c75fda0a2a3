"""The judge: do two answers of one model agree? Values in, a verdict out; it runs nothing and reads nothing."""

from burn_verify.judge.verdict import judge, merge

__all__ = ["judge", "merge"]
