# SPDX-License-Identifier: MIT
"""Draws the packet rows of results.json: for each work a group of bars, instructions per packet, each in proportion to
xfrm-udp's of the same work."""

WORKS = ("tcp1500", "tcp9000", "udp64", "udp512", "imix", "rr")
BARS = (("xfrm-udp", "#9aa0a6"), ("xfrm-native", "#c4c8cc"), ("wireguard", "#88171a"),
        ("esplane-udp", "#1a73e8"), ("esplane-native", "#669df6"), ("esplane-udp-chacha", "#0b8043"),
        ("plain", "#e8d48b"))
BASE = "xfrm-udp"
TOTAL = "insn_per_packet"
BAR, GAP, LEFT, TOP, HEIGHT, LEGEND = 20, 28, 56, 40, 260, 24
GRID = 0.5


def values_of(rows):
    """Of the newest kernel that has the base; {(work, way): value}"""
    rows = [row for row in rows if row["metric"] == TOTAL and row["work"] in WORKS]
    kernels = [row["kernel"] for row in rows if row["way"] == BASE]
    if not kernels:
        return None, {}
    return kernels[0], {(row["work"], row["way"]): row["value"] for row in rows
                        if row["kernel"] == kernels[0]}


def text(x, y, words, size=11, anchor="middle", extra=""):
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}"{extra}>'
            f"{words}</text>")


def bar(x, value, base, scale, colour):
    height = value / base * scale
    top = TOP + HEIGHT - height
    middle = x + BAR / 2 + 4
    label = f"{value / 1000:.1f}k"
    return [f'<rect x="{x:.0f}" y="{top:.1f}" width="{BAR}" height="{height:.1f}" fill="{colour}"/>',
            text(middle, top - 4, label, 10, "start",
                 f' transform="rotate(-90 {middle:.0f} {top - 4:.0f})"')]


def grid(width, highest, scale):
    lines = []
    for step in range(int(highest / GRID) + 1):
        y = TOP + HEIGHT - step * GRID * scale
        lines.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{width - 10}" y2="{y:.1f}" stroke="#ddd"/>')
        lines.append(text(LEFT - 6, y + 4, f"{step * GRID:.1f}", anchor="end"))
    return lines


def legend(width):
    y = TOP + HEIGHT + 48
    step = (width - LEFT) / len(BARS)
    for i, (way, colour) in enumerate(BARS):
        x = LEFT + i * step
        yield f'<rect x="{x:.0f}" y="{y - 10}" width="10" height="10" fill="{colour}"/>'
        yield text(x + 14, y, way, anchor="start")


def svg(rows):
    kernel, values = values_of(rows)
    works = [work for work in WORKS if (work, BASE) in values]
    group = BAR * len(BARS) + GAP
    width = LEFT + max(len(works) * group, 7 * 130) + 10
    shares = [values[work, way] / values[work, BASE] for work in works for way, _ in BARS
              if (work, way) in values]
    highest = max(shares, default=1)
    scale = (HEIGHT - 30) / highest
    parts = [text(LEFT, 18, f"Instructions per packet, sender and receiver, kernel {kernel}; "
                  f"height in proportion to {BASE} of the same work (lower is better)", 13, "start"),
             *grid(width, highest, scale)]
    for i, work in enumerate(works):
        x = LEFT + i * group + GAP / 2
        for j, (way, colour) in enumerate(BARS):
            if (work, way) in values:
                parts += bar(x + j * BAR, values[work, way], values[work, BASE], scale, colour)
        parts.append(text(x + BAR * len(BARS) / 2, TOP + HEIGHT + 20, work, 13))
    parts += legend(width)
    height = TOP + HEIGHT + 48 + LEGEND
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
            f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")
