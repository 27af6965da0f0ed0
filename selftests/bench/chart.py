# SPDX-License-Identifier: GPL-2.0
"""A chart of the ratios: a group of bars for each measure, a bar for each peer."""
import html

COLOURS = {
    "none": "#bbbbbb", "esp": "#888888", "udp": "#ccbb44", "espintcp": "#ee6677",
    "esptcp": "#4477aa", "esptcp_large": "#66ccee", "openvpn": "#aa3377",
}
WIDTH, ROW, LABEL, TOP = 900, 14, 220, 40
MOST = 3.0  # where the axis ends; longer bars are cut and say how long they are


def bars(groups, scale):
    """Bars and their labels, from top to bottom."""
    y = TOP
    for label, ratios in groups:
        yield f'<text x="{LABEL - 8}" y="{y + ROW * len(ratios) / 2 + 4}" text-anchor="end" ' \
              f'font-weight="bold">{html.escape(label)}</text>'
        for peer, ratio in ratios:
            width = min(ratio, MOST) * scale
            yield f'<rect x="{LABEL}" y="{y + 1}" width="{width:.1f}" height="{ROW - 2}" ' \
                  f'fill="{COLOURS.get(peer, "#228833")}"/>'
            yield f'<text x="{LABEL + width + 4:.1f}" y="{y + ROW - 3}">{peer} {ratio:.2f}</text>'
            y += ROW
        y += ROW


def svg(results, base):
    """The document: of the throughputs on an undisturbed path, ratios to the base."""
    groups = []
    for (measure, cipher, delay, loss), by_peer in results.items():
        if base in by_peer and not delay and not loss and "," not in measure and measure != "rtt":
            groups.append((f"{measure}, {cipher}", [
                (peer, median / by_peer[base][0]) for peer, (median, _, _) in by_peer.items()
                if peer != "none"]))
    scale = (WIDTH - LABEL - 130) / MOST
    height = TOP + ROW * sum(len(ratios) + 1 for _, ratios in groups)
    line = LABEL + scale
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LABEL}" y="20" font-size="14">Throughput, of that of plain ESP</text>',
        *bars(groups, scale),
        f'<line x1="{line}" y1="{TOP - 10}" x2="{line}" y2="{height}" stroke="black" '
        'stroke-dasharray="3"/>',
        "</svg>", ""])
