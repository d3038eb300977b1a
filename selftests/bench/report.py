#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns what the guest measured into tables and results.json, and compares it with the committed results.

usage: report.py [--save] [--all] KERNEL CPU DIR RESULTS MEASURED...
    MEASURED   files of lines "WORK WAY METRIC VALUE"; of lines that differ in VALUE alone the least counts; of
               sender_share SEND is made
    DIR        holds the committed results.json and results.svg, which --save brings up to date, as it does
               the tables of README.md
    RESULTS    directory for those of this run
    --all      everything that is committed for this kernel has to be measured again
A ratio is to the cheapest of the ways that BASES names. If that was not measured now, the committed figure is taken.
Exit status 1: one of our ways costs more than 10 % more than it did, by its ratio, or by itself where there is nothing
to compare it with (one daemon with many peers).
"""
import datetime
import json
import os
import sys

import plot

WORSE = 1.10
TOTAL, SEND, RECEIVE, FORWARD = ("insn_per_packet" + part
                                 for part in ("", "_send", "_receive", "_forward"))
WORKS = ("tcp1500", "tcp9000", "udp64", "udp512", "imix", "rr")
WAYS = ("plain", "cipher", "cipher-chacha", "xfrm-native", "xfrm-udp", "xfrmi", "xfrm-udp-chacha",
        "wireguard", "esplane-native", "esplane-udp", "esplane-route", "esplane-udp-chacha")
OURS = "esplane"
README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../README.md")
README_KERNELS = ("6.12", "7.3")
MARK = "<!-- make bench -->\n"
# xfrm with UDP around it, at its best: TCP likes the interface, the rest the policy.
BEST_UDP = ("xfrm-udp", "xfrmi")
BEST_NATIVE = ("xfrm-native",)
CHACHA = ("xfrm-udp-chacha",)
# {ratio: {way: the ways of which it is compared with the cheapest}}
BASES = {
    "ratio_to_xfrm": {
        "plain": BEST_UDP, "cipher": BEST_UDP, "wireguard": BEST_UDP,
        "xfrm-native": BEST_NATIVE, "xfrm-udp": BEST_UDP, "xfrmi": BEST_UDP,
        "esplane-native": BEST_NATIVE, "esplane-udp": BEST_UDP, "esplane-route": BEST_UDP,
        "cipher-chacha": CHACHA, "xfrm-udp-chacha": CHACHA, "esplane-udp-chacha": CHACHA,
        "xfrm": ("xfrm",), "esplane": ("xfrm",),
    },
    "ratio_to_wireguard": {"esplane-udp-chacha": ("wireguard",)},
    "ratio_to_charon": {"charon": ("charon",), "esplaned": ("charon",)},
}
# What README tells of one daemon with many peers: {metric of DAEMON: text}
DAEMON = "daemon-10000"
DAEMON_METRICS = {
    "insn_start": "start, until it answers",
    "bytes_per_conn": "memory of a connection, bytes",
    "insn_per_handshake": "a handshake as responder, IKE SA and CHILD_SA",
    "insn_per_last_handshake": "likewise, the last 1,000",
    "bytes_per_ike_sa": "memory of an IKE SA with its CHILD_SA, bytes",
    "insn_status": "`esplane status`, the daemon's share",
    "insn_reload": "`esplane reload`, nothing changed",
    "insn_reload_one": "likewise, one connection changed",
    "insn_per_child_rekey": "a rekeying of a CHILD_SA, in a herd",
    "insn_per_ike_rekey": "a rekeying of an IKE SA, in a herd",
    "percent_busiest_second": "its busiest second, % of an even spread",
    "insn_again": "a handshake when all come again",
}
# Of one SA and one policy together, what all of it costs.
DATABASES = ("sas", "policies")
STEPS = ("insn_install", "insn_dump", "insn_flush")
# What README tells of them: (work, metric, text)
DATABASE_METRICS = (
    ("sas", "insn_install", "install one"), ("sas", "insn_dump", "list"),
    ("sas", "insn_flush", "take away"), ("sas", "bytes", "bytes"),
    ("policies", "insn_install", "install one"), ("policies", "insn_dump", "list"),
    ("policies", "insn_flush", "take away"), ("policies", "bytes", "bytes"),
    ("sas+policies", "insn_all", "install, list and take away one of each"),
    *((f"{work}-{count}", TOTAL, "a packet among so many")
      for work, counts in (("sas", (1, 1000, 100000)), ("policies", (1000, 10000)))
      for count in counts),
)
SHARE = "sender_share"   # of TOTAL
# The floor: a packet without a tunnel, and its encryption and decryption.
FLOORS = {"esplane-native": "cipher", "esplane-udp": "cipher", "esplane-route": "cipher",
          "esplane-udp-chacha": "cipher-chacha"}
# (work, way, metric, ratio, at most)
GOALS = (
    ("tcp1500", "esplane-udp", TOTAL, "ratio_to_xfrm", 0.45),
    ("tcp1500", "esplane-udp", TOTAL, "ratio_to_floor", 1.25),
    ("tcp1500", "esplane-native", TOTAL, "ratio_to_xfrm", 0.65),
    ("tcp1500", "esplane-udp-chacha", TOTAL, "ratio_to_wireguard", 0.65),
    ("udp64", "esplane-udp", FORWARD, "ratio_to_xfrm", 0.60),
    ("udp64", "esplane-native", FORWARD, "ratio_to_xfrm", 0.60),
    ("rr", "esplane-udp", TOTAL, "ratio_to_xfrm", 1.0),
    ("rr", "esplane-native", TOTAL, "ratio_to_xfrm", 1.0),
    ("sas+policies", "esplane", "insn_all", "ratio_to_xfrm", 0.5),
    ("sas", "esplane", "bytes", "ratio_to_xfrm", 1.0),
)


def key_of(row):
    return row["kernel"], row["work"], row["way"], row["metric"]


def sums_of_steps(values):
    """{key: value} for each way that went through all steps"""
    sums = {}
    for way in {way for work, way, _ in values if work in DATABASES}:
        parts = [values.get((work, way, step)) for work in DATABASES for step in STEPS]
        if all(parts):
            sums["+".join(DATABASES), way, "insn_all"] = sum(parts)
    return sums


def read_measured(paths):
    """{(work, way, metric): value}"""
    values = {}
    for path in paths:
        with open(path, encoding="ascii") as file:
            for line in file:
                *key, value = line.split()
                values.setdefault(tuple(key), []).append(float(value))
    values = {key: min(several) for key, several in values.items()}
    for (work, way, metric), value in list(values.items()):
        total = values.get((work, way, TOTAL), 0)
        if metric == SHARE:
            value *= total
            values[work, way, SEND] = value
            del values[work, way, SHARE]
        if metric in (SHARE, SEND) and total:
            values[work, way, RECEIVE] = total - value
    return {**values, **sums_of_steps(values)}


def committed_values(kernel, committed):
    return {key_of(row)[1:]: row["value"] for row in committed if row["kernel"] == kernel}


def ratios(key, values):
    """{ratio: value} of one row; None if what it is compared with is unknown"""
    work, way, metric = key
    found = {}
    for ratio, bases in BASES.items():
        if way in bases:
            costs = [values[work, base, metric] for base in bases[way]
                     if (work, base, metric) in values]
            found[ratio] = round(values[key] / min(costs), 3) if costs else None
    if way in FLOORS and metric == TOTAL:
        parts = [values.get((work, part, TOTAL)) for part in ("plain", FLOORS[way])]
        if all(parts):
            found["ratio_to_floor"] = round(values[key] / sum(parts), 3)
    return found


def order(row):
    def place(names, name):
        return names.index(name) if name in names else len(names)
    return (row["kernel"], place(WORKS, row["work"]),
            place((TOTAL, SEND, RECEIVE, FORWARD), row["metric"]), place(WAYS, row["way"]))


def make_rows(kernel, cpu, measured, known):
    today = datetime.date.today().isoformat()
    rows = []
    for key, value in measured.items():
        work, way, metric = key
        rows.append({"kernel": kernel, "work": work, "way": way, "metric": metric,
                     "value": round(value) if value >= 100 else value, **ratios(key, known),
                     "cpu": cpu, "date": today})
    return sorted(rows, key=order)


def cell(row, ratio="ratio_to_xfrm"):
    if not row:
        return "-"
    text = f"{row['value']:,}"
    return text + (f" {row[ratio]:.2f}" if row.get(ratio) else "")


def table(head, lines):
    """Markdown, which is also good to read."""
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    rules = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return [f"| {line[0].ljust(widths[0])} | " +
            " | ".join(text.rjust(width) for text, width in zip(line[1:], widths[1:])) + " |"
            for line in [head, rules, *lines]]


def pivot(rows, columns):
    """columns: [(head, work, metric)]; those and the ways that have no row are left out"""
    by_key = {(row["work"], row["metric"], row["way"]): row for row in rows}
    columns = [c for c in columns if any((c[1], c[2], way) in by_key for way in WAYS)]
    ways = [way for way in WAYS if any((c[1], c[2], way) in by_key for c in columns)]
    if not columns:
        return []
    return table(["way", *(c[0] for c in columns)],
                 [[way, *(cell(by_key.get((work, metric, way))) for _, work, metric in columns)]
                  for way in ways])


def totals(rows):
    return pivot(rows, [(work, work, TOTAL) for work in WORKS])


def parts(rows, work):
    return pivot(rows, [(f"{work} {name}", work, metric) for name, metric in
                        (("send", SEND), ("receive", RECEIVE), ("forward", FORWARD))])


def daemon_table(rows):
    values = {row["metric"]: row["value"] for row in rows if row["work"] == DAEMON}
    return table(["", "value"], [[text, f"{values[metric]:,}"]
                                 for metric, text in DAEMON_METRICS.items() if metric in values])


def databases_table(rows):
    by_key = {key_of(row)[1:]: row for row in rows}
    lines = [[f"{work}: {text}", *(cell(by_key.get((work, way, metric)))
                                   for way in ("xfrm", "esplane"))]
             for work, metric, text in DATABASE_METRICS if (work, "esplane", metric) in by_key]
    return table(["", "xfrm", "esplane"], lines) if lines else []


def show_table(title, lines):
    if lines:
        print("", title, "", *lines, sep="\n")


def show_others(rows):
    lines = []
    for row in rows:
        if row["work"] in WORKS:
            continue
        ratio = next((f"{v:.2f}" for k, v in row.items() if k.startswith("ratio_") and v), "-")
        lines.append([row["work"], row["way"], row["metric"], f"{row['value']:,}", ratio])
    if lines:
        show_table("Other costs; the ratio is to xfrm, of handshakes and IKE SAs to charon",
                   table(["work", "way", "metric", "value", "ratio"], lines))


def show(kernel, cpu, rows):
    show_table("Instructions per packet, sender and receiver, and ratio to xfrm "
               f"(kernel {kernel}, {cpu})", totals(rows))
    for work in WORKS:
        show_table("Sent and received; forwarded by two gateways", parts(rows, work))
    show_others(rows)
    show_goals(rows)


def show_goals(rows):
    by_key = {key_of(row)[1:]: row for row in rows}
    lines = []
    for work, way, metric, ratio, most in GOALS:
        value = by_key.get((work, way, metric), {}).get(ratio)
        if value:
            lines.append([work, way, metric, ratio, f"{most:.2f}", f"{value:.2f}",
                          "met" if value <= most else "missed"])
    if lines:
        show_table("Goals",
                   table(["work", "way", "metric", "ratio", "at most", "is", ""], lines))


def is_judged(row):
    """Of TCP which end a softirq worked for depends on when it ran: only the sum is the same each time."""
    shared = row["work"].startswith("tcp") and row["metric"] in (SEND, RECEIVE)
    return row["way"].startswith(OURS) and not shared


def regressions(rows, committed):
    old = {key_of(row): row for row in committed}
    for row in rows:
        before = old.get(key_of(row), {}) if is_judged(row) else {}
        for ratio in (name for name in row if name.startswith("ratio_")):
            if before.get(ratio) and row[ratio] and row[ratio] > WORSE * before[ratio]:
                yield (f"{row['work']} {row['way']} {row['metric']}: {ratio} was "
                       f"{before[ratio]:.3f}, is {row[ratio]:.3f}")
        if (before and row["work"] == DAEMON and row["metric"].startswith(("insn_", "bytes_"))
                and row["value"] > WORSE * before["value"]):
            yield (f"{row['work']} {row['way']} {row['metric']}: was {before['value']:,}, "
                   f"is {row['value']:,}")


def merged(rows, committed, kernel, known):
    """The committed rows with those of this run in their places; the others' ratios follow."""
    new = {key_of(row): row for row in rows}
    old = [row for row in committed if key_of(row) not in new]
    old = [{**row, **ratios(key_of(row)[1:], known)} if row["kernel"] == kernel else row
           for row in old]
    return sorted([*old, *rows], key=order)


def write(directory, rows):
    with open(os.path.join(directory, "results.json"), "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join("  " + json.dumps(row) for row in rows) + "\n]\n")
    with open(os.path.join(directory, "results.svg"), "w", encoding="utf-8") as file:
        file.write(plot.svg(rows))


def readme_tables(kernel, rows):
    rows = [row for row in rows if row["kernel"] == kernel]
    lines = [*totals(rows), "", "Forwarded by two gateways:", "",
             *pivot(rows, [(work, work, FORWARD) for work in WORKS])] if rows else []
    if databases_table(rows):
        lines += ["", "100,000 SAs and as many policies (instructions; bytes of memory):", "",
                  *databases_table(rows)]
    if any(row["work"] == DAEMON for row in rows):
        lines += ["", "One daemon with 10,000 connections, each with its peer, IKE SA and CHILD_SA "
                  "(instructions; a ms is a million):", "", *daemon_table(rows)]
    if lines and kernel != README_KERNELS[0]:
        lines = ["", f"With kernel {kernel}:", "", *lines]
    return lines


def write_readme(path, rows):
    """What stands between the marks: each kernel's tables."""
    with open(path, encoding="utf-8") as file:
        before, _, rest = file.read().partition(MARK)
    _, _, after = rest.partition(MARK)
    if not after:
        sys.exit(f"{path}: no two lines {MARK.strip()}")
    lines = [line for kernel in README_KERNELS for line in readme_tables(kernel, rows)]
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + MARK + "\n" + "\n".join(lines) + "\n" + MARK + after)


def main():
    options = {argument for argument in sys.argv[1:] if argument.startswith("--")}
    kernel, cpu, directory, out, *paths = (a for a in sys.argv[1:] if a not in options)
    committed_path = os.path.join(directory, "results.json")
    committed = []
    if os.path.exists(committed_path):
        with open(committed_path, encoding="ascii") as file:
            committed = json.load(file)
    measured = read_measured(paths)
    known = {**committed_values(kernel, committed), **measured}
    rows = make_rows(kernel, cpu, measured, known)
    show(kernel, cpu, rows)
    write(out, rows)
    worse = list(regressions(rows, committed))
    for line in worse:
        print("worse by more than 10 %: " + line)
    missing = {key_of(row) for row in committed if row["kernel"] == kernel} - set(map(key_of, rows))
    if "--all" in options and missing:
        sys.exit("not measured: " + ", ".join(" ".join(key[1:]) for key in sorted(missing)))
    if "--save" in options:
        saved = merged(rows, committed, kernel, known)
        write(directory, saved)
        write_readme(README, saved)
    elif worse:
        sys.exit(1)


if __name__ == "__main__":
    main()
