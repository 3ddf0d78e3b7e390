"""How often the short-term memory of things has what is needed, beside the policies it has to beat and the optimum.

    python scripts/bench_object_memory.py [--capacities 5,10,20,40] [--seeds 0,1,2] [--families household,zipf]

Prints hit rates in percent, each the mean over the seeds: the best of FIFO, LRU, LFU, W-TinyLFU (windows of 1 and 20 %)
and Mem4Nav's score in that very cell, ours, Belady's optimum. Seeds 0 and 1 were tuned on; others are unseen. Takes a
second per cell and seed. Its last lines sum up: where ours is farthest below the best of the others, and its mean share
of the optimum.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from object_traces import FAMILIES, POLICIES, belady, ours, trace_of


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--capacities", default="5,10,15,20,25,30,35,40")
    parser.add_argument("--seeds", default="2,3,4")
    parser.add_argument("--families", default=",".join(FAMILIES))
    arguments = parser.parse_args()
    capacities = [int(one) for one in arguments.capacities.split(",")]
    seeds = [int(one) for one in arguments.seeds.split(",")]
    families = arguments.families.split(",")
    names = [*POLICIES, "best", "ours", "Belady"]
    print(f"seeds {arguments.seeds}: hit rates in percent\n")
    print(f"{'family':10} {'n':>3} " + " ".join(f"{name:>14}" for name in names) + f" {'of optimum':>11}")
    worst, where, shares, alone, spent_s, accesses = float("inf"), "", list[float](), list[float](), 0.0, 0
    for family in families:
        traces = [trace_of(family, seed) for seed in seeds]
        for capacity in capacities:
            rates = {
                name: 100 * sum(policy(trace, capacity) for trace in traces) / len(traces)
                for name, policy in POLICIES.items()
            }
            best = max(rates.values())
            begun_s = time.process_time()
            mine = 100 * sum(ours(trace, capacity) for trace in traces) / len(traces)
            spent_s += time.process_time() - begun_s
            accesses += sum(map(len, traces))
            optimum = 100 * sum(belady(trace, capacity) for trace in traces) / len(traces)
            cells = [*rates.values(), best, mine, optimum]
            print(f"{family:10} {capacity:3} " + " ".join(f"{one:14.1f}" for one in cells) + f" {mine / optimum:11.3f}",
                  flush=True)  # fmt: skip
            shares.append(mine / optimum)
            alone.append(best / optimum)
            if mine - best < worst:
                worst, where = mine - best, f"{family}, {capacity}"
    print(f"\nworst against the best of the others: {worst:+.2f} points ({where})")
    print(f"mean share of Belady's optimum: {sum(shares) / len(shares):.3f} (the best other policy per cell: "
          f"{sum(alone) / len(alone):.3f})")  # fmt: skip
    print(f"{1e6 * spent_s / accesses:.1f} µs of CPU per access")


if __name__ == "__main__":
    main()
