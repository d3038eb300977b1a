# SPDX-License-Identifier: MIT
"""Draws the packet rows of results.json: for each work a group of bars, instructions per packet, each in proportion to
xfrm's in UDP, by policy or by interface, whichever costs less. The floor is a packet without a tunnel and its cipher."""

WORKS = ("tcp1500", "tcp9000", "udp64", "udp512", "imix", "rr")
FLOOR = "plain + cipher"
BARS = (("xfrm-udp", "#80868b"), ("xfrmi", "#9aa0a6"), ("xfrm-native", "#c4c8cc"),
        ("esplane-udp", "#1a73e8"), ("esplane-route", "#4285f4"), ("esplane-native", "#8ab4f8"),
        (FLOOR, "#e8d48b"), ("wireguard", "#88171a"), ("esplane-udp-chacha", "#0b8043"))
BASES = ("xfrm-udp", "xfrmi")
TOTAL = "insn_per_packet"
BAR, GAP, LEFT, TOP, HEIGHT, LEGEND = 18, 26, 56, 40, 260, 24
GRID = 0.5


def values_of(rows):
    """Of the newest kernel with most works; {(work, way): value}"""
    rows = [row for row in rows if row["metric"] == TOTAL and row["work"] in WORKS]
    works = {}
    for row in rows:
        if row["way"] == BASES[0]:
            works.setdefault(row["kernel"], set()).add(row["work"])
    most = max(map(len, works.values()), default=0)
    kernels = {kernel for kernel, those in works.items() if len(those) == most}
    if not kernels:
        return None, {}
    kernel = max(kernels, key=lambda name: [int(part) for part in name.split("-")[0].split(".")])
    values = {(row["work"], row["way"]): row["value"] for row in rows if row["kernel"] == kernel}
    for work in WORKS:
        parts = [values.get((work, way)) for way in ("plain", "cipher")]
        if all(parts):
            values[work, FLOOR] = sum(parts)
    return kernel, values


def base_of(work, values):
    return min(values[work, way] for way in BASES if (work, way) in values)


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
    works = [work for work in WORKS if (work, BASES[0]) in values]
    group = BAR * len(BARS) + GAP
    width = LEFT + max(len(works) * group, len(BARS) * 124) + 10
    shares = [values[work, way] / base_of(work, values) for work in works for way, _ in BARS
              if (work, way) in values]
    highest = max(shares, default=1)
    scale = (HEIGHT - 30) / highest
    parts = [text(LEFT, 18, f"Instructions per packet, sender and receiver, kernel {kernel}; "
                  "height in proportion to xfrm in UDP at its best (lower is better)", 13, "start"),
             *grid(width, highest, scale)]
    for i, work in enumerate(works):
        x = LEFT + i * group + GAP / 2
        for j, (way, colour) in enumerate(BARS):
            if (work, way) in values:
                parts += bar(x + j * BAR, values[work, way], base_of(work, values), scale, colour)
        parts.append(text(x + BAR * len(BARS) / 2, TOP + HEIGHT + 20, work, 13))
    parts += legend(width)
    height = TOP + HEIGHT + 48 + LEGEND
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
            f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")
