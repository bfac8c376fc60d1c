# SPDX-License-Identifier: GPL-2.0-only
"""Plots as SVG, written as text."""

import html
import math

COLOURS = ("#0b6e4f", "#c8553d", "#2e5eaa", "#8a6d1d", "#7b3f8c", "#3d3d3d",
           "#d98e04", "#4aa3a2", "#a83279", "#6b8e23", "#888888", "#b0413e")
WIDTH = 760


def start(height, title):
    return [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
            words(16, 22, title, 'font-size="15"')]


def words(x, y, text, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {extra}>{html.escape(text)}</text>'


def line(x1, y1, x2, y2, colour="#dddddd"):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}"/>')


def short(value):
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def curves(title, unit, xs, series):
    """Curves over sizes, with logarithmic axes; series: (name, values or None)."""
    height, left, right, top, bottom = 430, 70, 250, 50, 50
    values = [value for _, points in series for value in points if value and value > 0]
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    span = max(1, high - low)

    def x_of(i):
        return left + i * (WIDTH - left - right) / max(1, len(xs) - 1)

    def y_of(value):
        return height - bottom - ((math.log10(value) - low) / span *
                                  (height - top - bottom))

    out = start(height, title)
    for power in range(low, high + 1):
        y = y_of(10 ** power)
        out += [line(left, y, WIDTH - right, y),
                words(left - 8, y + 4, short(10 ** power), 'text-anchor="end"')]
    for i, name in enumerate(xs):
        out.append(words(x_of(i), height - bottom + 20, name, 'text-anchor="middle"'))
    out.append(words(left, top - 10, unit, 'fill="#555555"'))

    labels = []
    for number, (name, points) in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        dots = [(x_of(i), y_of(value)) for i, value in enumerate(points)
                if value and value > 0]
        if not dots:
            continue
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                   'stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
                for x, y in dots]
        labels.append([dots[-1][1], name, colour])
    out += name_curves(sorted(labels), WIDTH - right + 10, height - bottom)
    return "\n".join([*out, "</svg>", ""])


def name_curves(labels, x, bottom):
    """Names next to the ends of the curves, without overlaps."""
    previous = 0
    for label in labels:
        label[0] = max(label[0], previous + 14)
        previous = label[0]
    over = max(0, previous - bottom) if labels else 0
    return [words(x, y + 4 - over, name, f'fill="{colour}"') for y, name, colour in labels]


def bars(title, unit, groups):
    """Horizontal bars; groups: (name, [(name, value or None)])."""
    count = sum(len(entries) for _, entries in groups)
    height = 60 + 20 * count + 26 * len(groups)
    left, right = 250, 90
    top = max(value for _, entries in groups for _, value in entries if value)
    out = start(height, title)
    out.append(words(16, 40, unit, 'fill="#555555"'))
    y = 60
    for group, entries in groups:
        out.append(words(16, y + 4, group, 'font-weight="bold"'))
        y += 10
        for number, (name, value) in enumerate(entries):
            out.append(words(left - 8, y + 13, name, 'text-anchor="end"'))
            if value:
                wide = max(1, value / top * (WIDTH - left - right))
                out += [f'<rect x="{left}" y="{y + 2}" width="{wide:.1f}" height="15" '
                        f'fill="{COLOURS[number % len(COLOURS)]}"/>',
                        words(left + wide + 6, y + 14, short(value))]
            y += 20
        y += 16
    return "\n".join([*out, "</svg>", ""])
