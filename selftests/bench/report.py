#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns what bench/guest and bench/handshakes measured into a table and results.json, and compares with the committed one.

usage: report.py [--save] KERNEL MEASURED HANDSHAKES COMMITTED RESULTS
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


def handshake_rows(kernel, path):
    """Of a responder: lines WORK WAY METRIC VALUE, charon's being the base."""
    values = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            work, way, metric, value = line.split()
            values[work, metric, way] = int(value)
    for (work, metric, way), value in values.items():
        base = values.get((work, metric, "charon"))
        yield {"kernel": kernel, "work": work, "way": way, "metric": metric, "value": value,
               "ratio_to_charon": round(value / base, 3) if base else None}


def ratio_of(row):
    return row.get("ratio_to_xfrm") or row.get("ratio_to_charon")


def show(results):
    form = "%-8s %-16s %-16s %-20s %12s %10s"
    print(form % ("kernel", "work", "way", "metric", "value", "ratio"))
    for r in results:
        ratio = "%.2f" % ratio_of(r) if ratio_of(r) else "-"
        print(form % (r["kernel"], r["work"], r["way"], r["metric"], r["value"], ratio))
    print("ratio: to xfrm's of the same kind; of handshakes and IKE SAs, to charon's")


def regressions(results, committed):
    key = ("kernel", "work", "way", "metric")
    old = {tuple(r[k] for k in key): ratio_of(r) for r in committed}
    for r in results:
        before, now = old.get(tuple(r[k] for k in key)), ratio_of(r)
        if before and now and now > WORSE * before:
            yield "%s %s %s: ratio was %.3f, is %.3f" % (r["work"], r["way"], r["metric"], before,
                                                        now)


def write(path, results):
    with open(path, "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join("  " + json.dumps(r) for r in results) + "\n]\n")


def main():
    save = "--save" in sys.argv
    kernel, measured, handshakes, committed_path, path = [a for a in sys.argv[1:] if a != "--save"]
    results = list(rows(kernel, read_measured(measured)))
    results += handshake_rows(kernel, handshakes)
    missing = set(BASE) | {"charon", "esplaned"}
    missing -= {r["way"] for r in results}
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
