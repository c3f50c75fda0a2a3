"""The manifest of a Kubernetes Indexed Job that runs a sweep: one index, one shard. Text only."""

import json
import shlex
from collections.abc import Sequence
from typing import Final

RETRIES: Final = 4
"""How often the cluster starts an index again: as often as a part is divided until the model that kills it is alone."""

_MANIFEST: Final = """\
# One pod for each shard. The volume holds the list of models, the models, and the results; make it, and the image with
# burn-verify[sweep], cargo and rustc in it, before: kubectl apply -f THIS. When all is done:
#   {gather}
apiVersion: batch/v1
kind: Job
metadata:
  name: burn-verify-sweep
spec:
  completionMode: Indexed
  completions: {shards}
  parallelism: {parallel}
  # A shard that dies is started again by itself, and does not end the others (Kubernetes 1.33).
  backoffLimitPerIndex: {retries}
  maxFailedIndexes: {shards}
  podFailurePolicy:
    rules:
      # Wrong options and a broken toolchain do not mend themselves.
      - action: FailJob
        onExitCodes:
          containerName: sweep
          operator: In
          values: [3, 4]
      # A node that is drained says nothing of the shard.
      - action: Ignore
        onPodConditions:
          - type: DisruptionTarget
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: sweep
          image: {image}
          workingDir: /sweep
          # Exit code 1 says that models fail, which is a result: the shard is done.
          command: ["sh", "-c", {script}]
          env:
            - name: BURN_VERIFY_CACHE
              value: /cache
          volumeMounts:
            - {{name: sweep, mountPath: /sweep}}
            - {{name: cache, mountPath: /cache}}
      volumes:
        - name: sweep
          persistentVolumeClaim: {{claimName: burn-verify-sweep}}
        - name: cache
          emptyDir: {{}}
"""


def manifest(words: Sequence[str], *, image: str, shards: int, parallel: int) -> str:
    """Return the manifest as YAML.

    Arguments:
        words: the command of the whole sweep, without ``--shard``.
    """
    command = shlex.join(words)
    shard = f'{command} --shard "$((JOB_COMPLETION_INDEX + 1))/{shards}"'
    script = f"{shard}; code=$?; [ $code -eq 1 ] && exit 0; exit $code"
    return _MANIFEST.format(
        gather=f"{command} --gather".replace("\n", " "),
        shards=shards,
        parallel=parallel,
        retries=RETRIES,
        image=json.dumps(image),
        script=json.dumps(script),
    )
