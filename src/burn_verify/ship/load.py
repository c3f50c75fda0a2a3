"""Bounded load on a server of this machine: the same request again and again, every answer compared with the first."""

import json
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burn_verify.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of a load.

    Attributes:
        statuses: how many answers had which status; 0 for a connection that broke.
        differing: answers with success that were not those of the first.
        seconds: wall time of all requests.
        latencies: seconds of each request, sorted.
        forward: mean seconds of a forward pass, measured in the model's process; None without one.
        resident: MiB of the server and of the model's process together, before and after; None where nobody tells.
    """

    statuses: Mapping[int, int]
    differing: int
    seconds: float
    latencies: tuple[float, ...]
    forward: float | None
    resident: tuple[float | None, float | None]

    @property
    def fine(self) -> bool:
        """Whether every request was answered, and all alike."""
        return set(self.statuses) == {200} and not self.differing

    def percentile(self, share: float) -> float:
        """Return the latency that this share of the requests did not exceed, in seconds."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


def load(
    port: int, path: str, headers: Mapping[str, str], body: bytes, *, requests: int, clients: int, pid: int | None
) -> Loaded:
    """Send the same request so many times, from so many clients at once.

    Raises:
        UsageError: httpx is not installed.
    """
    try:
        import httpx
    except ImportError as error:
        message = "load needs httpx: pip install 'burn-verify[serve]'"
        raise UsageError(message) from error
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=120, trust_env=False) as client:

        def once(_: int) -> tuple[int, bytes, float]:
            started = time.perf_counter()
            try:
                answer = client.post(path, content=body, headers=dict(headers))
            except httpx.HTTPError:
                return 0, b"", time.perf_counter() - started
            return answer.status_code, answer.content, time.perf_counter() - started

        def told(where: str, field: str) -> Any:
            """Return what the server says of itself; None of one that died."""
            try:
                return json.loads(client.get(where).content)[field]
            except (httpx.HTTPError, ValueError, KeyError):
                return None

        first = once(0)
        before = _resident(pid, told("/readyz", "process"))
        started = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            answers = list(pool.map(once, range(requests)))
        seconds = time.perf_counter() - started
        stats = told("/model/info", "stats")
        process = told("/readyz", "process")
    return Loaded(
        statuses=Counter(status for status, _, _ in answers),
        differing=sum(status == 200 and data != first[1] for status, data, _ in answers),
        seconds=seconds,
        latencies=tuple(sorted(taken for _, _, taken in answers)),
        forward=_mean(stats),
        resident=(before, _resident(pid, process)),
    )


def _mean(stats: Mapping[str, float] | None) -> float | None:
    if stats is None or not stats["inference_count"]:
        return None
    return stats["total_inference_time_ms"] / 1e3 / stats["inference_count"]


def _resident(*pids: int | None) -> float | None:
    """Return MiB of memory that these processes have resident; None where the system does not tell."""
    total = 0.0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError:
            return None
        lines = (line.split()[1] for line in text.splitlines() if line.startswith("VmRSS:"))
        total += int(next(lines, "0")) / 1024
    return total
