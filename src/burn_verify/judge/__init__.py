"""The judge: decide whether two sets of outputs of one model agree. Pure functions: no model is run, no file read."""

from burn_verify.judge.fixed import judge, judge_random, merge
from burn_verify.judge.policy import Judge, insensitive
from burn_verify.judge.tolerance import bound, within
from burn_verify.judge.tolerated import Question

__all__ = ["Judge", "Question", "bound", "insensitive", "judge", "judge_random", "merge", "within"]
