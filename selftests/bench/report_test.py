#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What make bench says of figures: ratios, what fails a run, what a run of a part leaves as it was."""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import report  # noqa: E402  (its directory is known only now)

ALL = """tcp1500 plain insn_per_packet 1000
tcp1500 cipher insn_per_packet 8000
tcp1500 xfrm-udp insn_per_packet 25000
tcp1500 xfrm-udp insn_per_packet 22000
tcp1500 xfrmi insn_per_packet 20000
tcp1500 esplane-udp insn_per_packet 10000
tcp1500 esplane-udp insn_per_packet_send 4000
tcp1500 wireguard insn_per_packet 40000
tcp1500 esplane-udp-chacha insn_per_packet 30000
handshake-psk charon insn_per_handshake 300
handshake-psk esplaned insn_per_handshake 150
sas xfrm insn_install 9000
sas xfrm insn_dump 300
sas xfrm insn_flush 200
policies xfrm insn_install 400
policies xfrm insn_dump 60
policies xfrm insn_flush 40
sas esplane insn_install 2000
sas esplane insn_dump 500
sas esplane insn_flush 400
policies esplane insn_install 900
policies esplane insn_dump 100
policies esplane insn_flush 100
daemon-10000 esplaned insn_reload 5000
daemon-10000 esplaned ms_stop 7000
"""


class Bench:
    """A directory with committed results, and runs against them."""

    def __init__(self, root):
        self.committed, self.out = root / "committed", root / "out"
        self.readme = root / "README.md"
        self.readme.write_text(f"before\n{report.MARK}old\n{report.MARK}after\n", encoding="ascii")
        report.README = str(self.readme)
        self.committed.mkdir()
        self.out.mkdir()

    def run(self, measured, *options, kernel="6.12"):
        """Exit status, or the text that it ends with."""
        path = self.out / "measured"
        path.write_text(measured, encoding="ascii")
        sys.argv = ["report.py", *options, kernel, "a CPU", str(self.committed), str(self.out),
                    str(path)]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                report.main()
                status = 0
            except SystemExit as end:
                status = end.code
        self.printed = printed.getvalue()
        return status

    def row(self, way, metric="insn_per_packet", where=None):
        rows = json.loads(((where or self.out) / "results.json").read_text(encoding="ascii"))
        found = [row for row in rows if row["way"] == way and row["metric"] == metric]
        return found[0] if len(found) == 1 else {}


def ratios(bench):
    """To the cheaper of xfrm's two, of each the least; to the floor of 9,000; received is what is not sent."""
    status = bench.run(ALL)
    ours = bench.row("esplane-udp")
    return (status, ours["value"], ours["ratio_to_xfrm"], ours["ratio_to_floor"],
            bench.row("esplane-udp", "insn_per_packet_receive")["value"],
            bench.row("xfrm-udp")["ratio_to_xfrm"],
            bench.row("esplane-udp-chacha")["ratio_to_wireguard"],
            bench.row("esplaned", "insn_per_handshake")["ratio_to_charon"]) == (
                0, 10000, 0.5, 1.111, 6000, 1.1, 0.75, 0.5)


def names_where_and_when(bench):
    bench.run(ALL)
    row = bench.row("plain")
    return row["kernel"] == "6.12" and row["cpu"] == "a CPU" and len(row["date"]) == 10


def a_tenth_is_let_pass(bench):
    bench.run(ALL, "--save")
    return bench.run(ALL.replace("esplane-udp insn_per_packet 10000",
                                 "esplane-udp insn_per_packet 10990")) == 0


def more_than_a_tenth_fails(bench):
    bench.run(ALL, "--save")
    return bench.run(ALL.replace("esplane-udp insn_per_packet 10000",
                                 "esplane-udp insn_per_packet 11010")) == 1


def shares_of_tcp_are_not_judged(bench):
    bench.run(ALL, "--save")
    return bench.run(ALL.replace("insn_per_packet_send 4000", "insn_per_packet_send 5000")) == 0


def a_worse_handshake_fails(bench):
    bench.run(ALL, "--save")
    return bench.run(ALL.replace("handshake 150", "handshake 170")) == 1


def a_worse_daemon_fails(bench):
    """There is nothing beside it; and how long things take depends on more than what they cost."""
    bench.run(ALL, "--save")
    return (bench.run(ALL.replace("insn_reload 5000", "insn_reload 5501")) == 1 and
            bench.run(ALL.replace("ms_stop 7000", "ms_stop 9000")) == 0)


def xfrm_may_become_worse(bench):
    """Its own price is nothing that we could mend."""
    bench.run(ALL, "--save")
    return bench.run(ALL.replace("wireguard insn_per_packet 40000",
                                 "wireguard insn_per_packet 50000")) == 0


def what_is_missing_fails(bench):
    bench.run(ALL, "--save")
    return "wireguard" in str(bench.run(ALL.replace("tcp1500 wireguard insn_per_packet 40000\n", ""),
                                        "--all"))


def a_part_is_compared_with_what_is_committed(bench):
    bench.run(ALL, "--save")
    return (bench.run("tcp1500 esplane-udp insn_per_packet 8000\n") == 0 and
            bench.row("esplane-udp")["ratio_to_xfrm"] == 0.4)


def a_part_is_saved_beside_the_rest(bench):
    bench.run(ALL, "--save")
    bench.run("tcp1500 esplane-udp insn_per_packet 8000\n", "--save")
    return (bench.row("esplane-udp", where=bench.committed)["value"] == 8000 and
            bench.row("xfrmi", where=bench.committed)["value"] == 20000)


def what_others_cost_now_counts_for_the_rest(bench):
    bench.run(ALL, "--save")
    bench.run("tcp1500 xfrmi insn_per_packet 16000\n", "--save")
    return bench.row("esplane-udp", where=bench.committed)["ratio_to_xfrm"] == 0.625


def goals_are_judged(bench):
    bench.run(ALL)
    lines = [line for line in bench.printed.splitlines() if "ratio_to_xfrm" in line]
    return len(lines) == 2 and "missed" in lines[0] and "met" in lines[1]


def all_steps_with_sas_and_policies_are_one_sum(bench):
    bench.run(ALL)
    return (bench.row("esplane", "insn_all")["value"], bench.row("xfrm", "insn_all")["value"],
            bench.row("esplane", "insn_all")["ratio_to_xfrm"]) == (4000, 10000, 0.4)


def readme_shows_what_is_saved(bench):
    bench.run(ALL, "--save")
    text = bench.readme.read_text(encoding="ascii")
    return (text.startswith(f"before\n{report.MARK}\n") and "10,000 0.50" in text and
            "| `esplane reload`, nothing changed" in text and "5,000" in text and
            "| sas: install one" in text and "2,000 0.22" in text and
            text.endswith(f"\n{report.MARK}after\n") and "old" not in text)


def the_plot_shows_what_was_measured(bench):
    bench.run(ALL)
    root = xml.etree.ElementTree.parse(bench.out / "results.svg").getroot()
    words = [element.text for element in root.iter() if element.text]
    return "tcp1500" in words and "10.0k" in words and "udp64" not in words


def each_kernel_has_its_rows(bench):
    """What one costs is no measure of the other, and each has its tables; the plot is of who has more."""
    bench.run(ALL + "udp64 xfrm-udp insn_per_packet 21000\n", "--save")
    dearer = bench.run(ALL.replace("esplane-udp insn_per_packet 10000",
                                   "esplane-udp insn_per_packet 12000"), "--save", kernel="7.3")
    text = bench.readme.read_text(encoding="ascii")
    _, first, second = text.partition("With kernel 7.3:")
    plot = (bench.committed / "results.svg").read_text(encoding="utf-8")
    return (dearer == 0 and first and "12,000 0.60" in second and "10,000 0.50" not in second and
            "kernel 6.12;" in plot)


TESTS = (ratios, names_where_and_when, a_tenth_is_let_pass, more_than_a_tenth_fails,
         shares_of_tcp_are_not_judged, a_worse_handshake_fails, a_worse_daemon_fails,
         xfrm_may_become_worse, what_is_missing_fails,
         a_part_is_compared_with_what_is_committed, a_part_is_saved_beside_the_rest,
         what_others_cost_now_counts_for_the_rest, goals_are_judged,
         all_steps_with_sas_and_policies_are_one_sum,
         readme_shows_what_is_saved, each_kernel_has_its_rows, the_plot_shows_what_was_measured)


def main():
    print("TAP version 13")
    print(f"1..{len(TESTS)}")
    failed = 0
    for number, test in enumerate(TESTS, 1):
        with tempfile.TemporaryDirectory() as directory:
            passed = test(Bench(pathlib.Path(directory)))
        failed += not passed
        print(f"{'ok' if passed else 'not ok'} {number} {test.__name__.replace('_', ' ')}")
    sys.exit(1 if failed else 0)


main()
