"""Files fetched over the network: the only module that uses it."""

import contextlib
import threading
from pathlib import Path
from typing import Any

from burn_verify.core.errors import LoadError
from burn_verify.core.stage import FailureKind

NETWORK_TIMEOUT = 5.0
"""Seconds after which a run stops waiting for the model hub."""


def reachable(url: str) -> bool:
    """Return whether a server responds at a URL within `NETWORK_TIMEOUT` seconds, including the name lookup."""
    answers: list[int] = []
    asking = threading.Thread(target=_ask, args=(url, answers), daemon=True)
    asking.start()
    asking.join(NETWORK_TIMEOUT)
    return bool(answers)


def _ask(url: str, answers: list[int]) -> None:
    import requests

    with contextlib.suppress(requests.RequestException):
        answers.append(requests.head(url, timeout=NETWORK_TIMEOUT).status_code)


def fetch(url: str, sha256: str, target: Path) -> Path:
    """Download a file to `target` unless it exists, with a progress bar; a file with a wrong hash is deleted.

    Raises:
        LoadError: the download failed, or its hash differs from that of the catalogue.
    """
    if target.is_file():
        return target
    # Slow to import, and most runs download nothing.
    import pooch
    import requests

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as answers:

            def remember(answer: requests.Response, *_: Any, **__: Any) -> None:
                # pooch does not close the connection of an interrupted download before garbage collection.
                answers.callback(answer.close)

            pooch.retrieve(
                url,
                known_hash=f"sha256:{sha256}",
                fname=target.name,
                path=target.parent,
                downloader=pooch.HTTPDownloader(
                    progressbar=True, timeout=NETWORK_TIMEOUT, hooks={"response": remember}
                ),
            )
    except requests.RequestException as error:
        message = f"{url} could not be downloaded: {error}; put the file into a folder and use --zoo-mirror DIR"
        raise LoadError(message, "download failed", kind=FailureKind.MACHINE) from error
    except OSError as error:
        message = f"{url} could not be kept as {target}: {error.strerror or error}"
        raise LoadError(message, "download failed", kind=FailureKind.MACHINE) from error
    except ValueError as error:
        message = f"{url} is not the file it should be (sha256 {sha256} expected); nothing was kept: {error}"
        raise LoadError(message, "wrong sha256", kind=FailureKind.MACHINE) from error
    return target
