# Verifies models, or a pull request of burn-onnx or Burn, as the environment says (see action.yml).
#
# Writes code, record and comment to $GITHUB_OUTPUT, a summary with the names of failing cases to $GITHUB_STEP_SUMMARY,
# and exits with the code.
set -euo pipefail
work=${RUNNER_TEMP:-$(mktemp -d)}
record=$work/burn-verify.jsonl
comment=
code=0
words=(verify "--burn-record=$record")

# Adds --option=value, unless the value is empty.
option() {
  if [ -n "$2" ]; then words+=("$1=$2"); fi
}

# Adds each line that is not empty.
lines() {
  local line
  while IFS= read -r line; do
    line=${line%$'\r'}
    if [ -n "${line// /}" ]; then words+=("$line"); fi
  done <<< "$1"
}

rm -f "$record"
option --conformance "${CONFORMANCE:-}"
option --ops "${OPS:-}"
option --burn-version "${BURN_VERSION:-}"
option --burn-backend "${BURN_BACKEND:-}"
option --burn-expectations "${EXPECTATIONS:-}"
lines "${OPTIONS:-}"
case ${PULL_REQUEST:-} in
  "") ;;
  burn-onnx | burn)
    if [ -z "${BASE:-}" ]; then
      echo "::error::pull-request needs base: the revision to compare with" >&2
      exit 4
    fi
    words+=("--$PULL_REQUEST-path=$CHECKOUT@$BASE,$CHECKOUT" --only-changed)
    ;;
  *)
    echo "::error::pull-request is burn-onnx, burn or empty, not $PULL_REQUEST" >&2
    exit 4
    ;;
esac
lines "${MODELS:-}"

burn-verify "${words[@]}" || code=$?
if [ "$code" -le 1 ]; then
  if [ -n "${PULL_REQUEST:-}" ]; then
    # Whether a case fails is no question here; whether it became worse is.
    comment=$work/burn-verify-comment.md
    code=0
    burn-verify diff "$record" --comment > "$comment" || code=$?
    if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$comment" >> "$GITHUB_STEP_SUMMARY"; fi
  else
    # Appends the summary, with the names of the cases that fail.
    burn-verify report "$record" --out "$work/burn-verify-report" > "$work/burn-verify-report.log" || true
  fi
fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  { echo "code=$code"; echo "record=$record"; echo "comment=$comment"; } >> "$GITHUB_OUTPUT"
fi
exit "$code"
