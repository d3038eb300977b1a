#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns what bench/guest measured into a table and results.json, and compares with the committed one.

usage: report.py [--save] KERNEL MEASURED COMMITTED RESULTS
"""
import json
import os
import sys

PACKET = 1400           # bytes of payload in a packet, about what a tunnel leaves of 1500
WORSE = 1.10            # a ratio to xfrm that has grown by more than this fails
METRIC = "insn_per_packet"       # of sender and receiver together
BASE = {"esplane-udp": "xfrm-udp", "esplane-native": "xfrm-native",
        "xfrm-udp": "xfrm-udp", "xfrm-native": "xfrm-native"}


def read_measured(path):
    """{(work, way): instructions per packet}, the better of with and without GRO"""
    runs = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            work, way, gro, seconds, count = line.split()
            cost = float(seconds) * 1e9 * PACKET / int(count)
            runs.setdefault((work, way), {}).setdefault(gro, []).append(cost)
    return {key: min(min(costs) for costs in by_gro.values())
            for key, by_gro in runs.items()}


def rows(kernel, costs):
    for (work, way), cost in costs.items():
        base = costs.get((work, BASE.get(way)))
        yield {"kernel": kernel, "work": work, "way": way, "metric": METRIC,
               "value": round(cost), "ratio_to_xfrm": round(cost / base, 3) if base else None}


def show(results):
    print("%-8s %-8s %-16s %12s %14s" % ("kernel", "work", "way", "instr/packet", "ratio to xfrm"))
    for r in results:
        ratio = "%.2f" % r["ratio_to_xfrm"] if r["ratio_to_xfrm"] else "-"
        print("%-8s %-8s %-16s %12d %14s" % (r["kernel"], r["work"], r["way"], r["value"], ratio))


def regressions(results, committed):
    old = {(r["kernel"], r["work"], r["way"]): r["ratio_to_xfrm"] for r in committed}
    for r in results:
        before = old.get((r["kernel"], r["work"], r["way"]))
        if before and r["ratio_to_xfrm"] and r["ratio_to_xfrm"] > WORSE * before:
            yield "%s %s: ratio to xfrm was %.3f, is %.3f" % (r["work"], r["way"], before,
                                                             r["ratio_to_xfrm"])


def write(path, results):
    with open(path, "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join("  " + json.dumps(r) for r in results) + "\n]\n")


def main():
    save = "--save" in sys.argv
    kernel, measured, committed_path, path = [a for a in sys.argv[1:] if a != "--save"]
    results = list(rows(kernel, read_measured(measured)))
    missing = set(BASE) - {r["way"] for r in results}
    show(results)
    write(path, results)
    committed = []
    if os.path.exists(committed_path):
        with open(committed_path, encoding="ascii") as file:
            committed = json.load(file)
    worse = list(regressions(results, committed))
    for line in worse:
        print("worse by more than 10 %: " + line)
    if missing:
        sys.exit("not measured: " + ", ".join(sorted(missing)))
    if save:
        write(committed_path, results)
    elif worse:
        sys.exit(1)


main()
