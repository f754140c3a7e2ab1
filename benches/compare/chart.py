"""A bar chart of ratios as an SVG picture that can be read on a light and on a dark page."""

from __future__ import annotations

from html import escape

WIDTH = 760
LABELS = 170
ROW = 34
BAR = 12
COLORS = ("#2a78b8", "#d9822b")
STYLE = """text { font: 13px system-ui, sans-serif; fill: #24292f }
.faint { fill: #57606a; font-size: 11px }
line { stroke: #57606a; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .faint { fill: #9198a1 } line { stroke: #9198a1 } }"""


def bar_chart(bars: dict[str, list[tuple[str, float, float]]]) -> str:
    """Two bars for each network, against the best other engine in f32 and against torch; a panel for each batch size."""
    largest = max(ratio for rows in bars.values() for _, *ratios in rows for ratio in ratios)
    scale = (WIDTH - LABELS - 60) / largest
    parts = []
    y = 40
    for panel, (batch, rows) in enumerate(bars.items()):
        title = "One image" if batch == "1" else f"Batches of {batch}"
        parts.append(text(0, y, f"{title}: how many times as fast"))
        if panel == 0:
            legend = (("the best in f32 (onnxruntime, OpenVINO, ncnn)", 330), ("torch's best", 620))
            for color, (label, x) in zip(COLORS, legend):
                parts.append(f'<rect x="{x}" y="{y - 10}" width="10" height="10" fill="{color}"/>')
                parts.append(text(x + 16, y, f"as {label}", "faint"))
        y += 14
        top = y
        for name, *ratios in rows:
            parts.append(text(LABELS - 8, y + ROW / 2 + 2, name, anchor="end"))
            for index, ratio in enumerate(ratios):
                place = y + 3 + index * (BAR + 1)
                width = ratio * scale
                parts.append(
                    f'<rect x="{LABELS}" y="{place}" width="{width:.1f}" height="{BAR}" fill="{COLORS[index]}"/>'
                )
                parts.append(text(LABELS + width + 5, place + 10, f"{ratio:.2f}", "faint"))
            y += ROW
        one = LABELS + scale
        parts.append(f'<line x1="{one:.1f}" y1="{top}" x2="{one:.1f}" y2="{y}"/>')
        y += 40
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" role="img">'
    caption = "<title>Speed against other engines</title>"
    return "\n".join([head, caption, f"<style>{STYLE}</style>", *parts, "</svg>"]) + "\n"


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    styled = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{styled}>{escape(content)}</text>'
