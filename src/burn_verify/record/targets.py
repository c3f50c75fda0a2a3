"""How lines of a record name a target, and targets read again: a record does not say where a checkout lies."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burn_verify.core.target import PROCESS, Checkout, Target
from burn_verify.core.ways import BURNPACK, FILE, FULL

UNKNOWN = Target(burn="", burn_onnx="", backend="")
"""The target of a record that names none."""

_CHECKOUTS = ("burn_checkout", "burn_onnx_checkout", "hooks")


def target_to_json(target: Target) -> dict[str, Any]:
    """Return what a line says of its target; checkouts only where there are any, and not where they lie.

    That models were prepared is said only where they were.
    """
    checkouts = {
        name: {"commit": checkout.commit, "dirty": checkout.dirty, "digest": checkout.digest}
        for name in _CHECKOUTS
        if (checkout := getattr(target, name)) is not None
    }
    return {
        "burn_version": target.burn,
        "burn_onnx_version": target.burn_onnx,
        "burn_backend": target.backend,
        "simplify": target.simplify,
        "partition": target.partition,
        **({"prepared": True} if target.prepared else {}),
        **checkouts,
        **({} if target.record == BURNPACK else {"record_type": target.record}),
        **({} if target.load == FILE else {"load": target.load}),
        **({} if target.weights == FULL else {"weights": target.weights}),
        **({} if target.via == PROCESS else {"via": target.via}),
    }


def target_from_json(data: Mapping[str, Any], environment: Mapping[str, Any] | None = None) -> Target:
    """Decode what a line says of its target; what older lines leave out, the environment of the run says."""
    said = environment or {}
    checkouts = {
        name: Checkout(
            path=Path(),
            commit=str(found.get("commit", "")),
            dirty=bool(found.get("dirty")),
            digest=str(found.get("digest", "")),
        )
        for name in _CHECKOUTS
        if isinstance(found := data.get(name), Mapping)
    }
    return Target(
        burn=str(data.get("burn_version", said.get("burn", ""))),
        burn_onnx=str(data.get("burn_onnx_version", said.get("burn_onnx", ""))),
        backend=str(data.get("burn_backend", said.get("burn_backend", ""))),
        simplify=bool(data.get("simplify", said.get("simplify", True))),
        partition=bool(data.get("partition", said.get("partition", True))),
        prepared=bool(data.get("prepared", said.get("prepared", False))),
        record=str(data.get("record_type", said.get("record_type", BURNPACK))),
        load=str(data.get("load", said.get("load", FILE))),
        weights=str(data.get("weights", said.get("weights", FULL))),
        via=str(data.get("via", said.get("via", PROCESS))),
        **checkouts,
    )


def recorded(target: Target) -> Target:
    """Return a target as a record knows it: it does not say where a checkout lies."""
    return target_from_json(target_to_json(target))


def target_environment(target: Target) -> dict[str, Any]:
    """Return what the environment of a run on one target says of it."""
    said = target_to_json(target)
    names = {"burn_version": "burn", "burn_onnx_version": "burn_onnx"}
    return {names.get(key, key): value for key, value in said.items()}
