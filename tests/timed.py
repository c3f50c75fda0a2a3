"""Results with latencies, made up, for the tests of what is recorded and shown."""

import dataclasses

from burn_verify.core.latency import Cost, Latency, Ratio, Side, Summary
from reported import a_result, wrong

COST = Cost(codegen=0.01, rustc=1.5, rustc_peak=300 << 20, link=0.9, lines=90, nodes=12, binary=13 << 20, weights=2048)


def side(median=0.002, **changes):
    made = Side(
        load=0.001,
        first=0.003,
        steady=Summary(calls=4, minimum=median / 2, median=median, p95=2 * median, iqr=median / 10),
        prepare=1e-6,
        resident=(1 << 20, 2 << 20, 5 << 20),
        warm_calls=10,
        stable=True,
        others=0.1,
        starts_ns=(((1, 2),), ((3, 4),)),
    )
    return dataclasses.replace(made, **changes)


def latency(**changes):
    made = Latency(
        profile="latency",
        threads=2,
        data_set="seeded",
        cost=COST,
        load_average=0.5,
        burn=side(),
        onnxruntime=side(0.001),
        ratio=Ratio(value=2.0, low=1.9, high=2.1, noisy=False),
    )
    return dataclasses.replace(made, **changes)


def result(verdict="agrees", case_id="zoo/mnist-12", **changes):
    if verdict == "disagrees":
        changes = {"reason": "wrong values", **changes}
        return wrong(case_id, **{"latency": latency(), **changes})
    return a_result(case_id, **{"verdict": verdict, "latency": latency(), **changes})
