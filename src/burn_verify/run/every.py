"""The stages of a whole run in this process: everything is prepared, then each case is verified and recorded."""

from collections.abc import Iterator

from burn_verify.core.errors import BurnVerifyError
from burn_verify.core.progress import Listener, Progress
from burn_verify.core.result import CaseResult
from burn_verify.core.target import Trial
from burn_verify.run.recorder import Recorder
from burn_verify.run.session import Session


def verified(session: Session, recorder: Recorder, listen: Listener) -> Iterator[tuple[Trial, CaseResult]]:
    """Prepare the selection of a run, then yield each result as soon as it is recorded.

    Trials of a target that could not be built or started are left out.

    Raises:
        ToolchainError: no target could be built and started; the record says why.
    """
    trials = session.selected.trials
    names = {trial: test_id for test_id, trial in session.selected.by_test_id.items()}
    try:
        session.prepare(trials, listen)
    except BurnVerifyError as error:
        recorder.prepared(error)
        raise
    recorder.prepared()
    for place, trial in enumerate(trials):
        if session.failure(trial.target):
            continue
        listen(Progress(phase="verify", done=place, total=len(trials), text=names[trial]))
        result = session.verify(trial, listen)
        recorder.add(session.line(result, trial.target))
        yield trial, result
