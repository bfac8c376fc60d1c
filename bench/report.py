# SPDX-License-Identifier: GPL-2.0-only
"""The results as text tables."""

import statistics

import rows as bench_rows


def summary(samples):
    """Median and quartiles of the samples."""
    ordered = sorted(samples)
    if len(ordered) < 3:
        low, high = ordered[0], ordered[-1]
    else:
        low, _, high = statistics.quantiles(ordered, n=4, method="inclusive")
    return {"median": statistics.median(ordered), "low": low, "high": high,
            "samples": samples}


def number(value):
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.2f}M"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def cell(row):
    if not row or "median" not in row:
        return "-"
    spread = (row["high"] - row["low"]) / 2
    if not row["median"]:
        return number(row["median"])
    return f"{number(row['median'])} ±{abs(100 * spread / row['median']):.0f}%"


def worst(row):
    return number(max(row["samples"])) if row and "samples" in row else "-"


def table(heads, lines):
    """Format a table; the first column is left-aligned, the others right-aligned."""
    lines = [heads, *lines]
    assert all(len(line) == len(heads) for line in lines)
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    text = []
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [entry.rjust(width) for entry, width in zip(line[1:], widths[1:])]
        text.append("  ".join(cells).rstrip())
    return "\n".join([text[0], "-" * len(text[0]), *text[1:]])


def tables(results):
    """Yield (title, heads, lines) of each table that is not empty."""
    for title, heads, lines in all_tables(results):
        if any(entry != "-" for line in lines for entry in line[1:]):
            yield title, heads, lines


def all_tables(results):
    rows = results["rows"]
    sizes = [size for size in bench_rows.SIZES if f"memcpy/1/{size}" in rows]
    pairs = [count for count in bench_rows.PAIRS if f"scale-wait/{count}" in rows]

    def line(title, *keys):
        return [title, *(cell(rows.get(key)) for key in keys)]

    yield ("By bytes of stack in use", ["", *(f"{size} KiB" for size in sizes)],
           [line(title, *(f"{name}/{cpus}/{size}" for size in sizes))
            for name, cpus, title in bench_rows.BY_SIZE + bench_rows.ONCE_BY_SIZE
            if any(f"{name}/{cpus}/{size}" in rows for size in sizes)] +
           [line("memory of an idle pair, bytes",
                 *(f"memory/{size}" for size in sizes))])
    yield ("Hand-over alone", ["", "round trip"],
           [line(title, f"{name}/{cpus}") for name, cpus, title in bench_rows.TRIPS
            if f"{name}/{cpus}" in rows])
    yield ("Processes that are not in a pair", ["", *bench_rows.STATES.values()],
           [line(title, *(f"{name}/{state}" for state in bench_rows.STATES))
            for name, title in bench_rows.BYSTANDERS.items()])
    yield ("Many pairs at once: CPU time for each checkpoint",
           ["", *(f"{count} pairs" for count in pairs)],
           [line("rendezvous, all on one CPU",
                 *(f"scale-wait/{count}" for count in pairs)),
            line("recorder, system call included",
                 *(f"scale-record/{count}" for count in pairs))])
    if any(f"sum-wait/{count}" in rows for count in pairs):
        yield ("Many pairs at once: checkpoints a second, on all CPUs",
               ["", *(f"{count} pairs" for count in pairs)],
               [line("rendezvous", *(f"sum-wait/{count}" for count in pairs)),
                line("recorder", *(f"sum-record/{count}" for count in pairs))])
    threads = [count for count in bench_rows.THREADS
               if f"process-rendezvous/{count}" in rows]
    yield ("A process with threads, all busy: each checkpoint, 8 KiB",
           ["", *(f"{count} threads" for count in threads)],
           [line(title, *(f"{name}/{count}" for count in threads))
            for name, title in bench_rows.BY_THREADS])
    yield (f"Hold and release of {bench_rows.HELD} threads with their registers: "
           "CPU time of both sides for each thread",
           ["", *bench_rows.BUSY.values()],
           [line(title, *(f"hold-{mode}/{busy}" for busy in bench_rows.BUSY))
            for mode, title in bench_rows.HOLDS.items()])
    for key, title in (("held", "The time for which a program that computes is held"),
                       ("gap", "The longest gap in a program that computes")):
        yield (title, ["", "usual", "worst"],
               [[what, cell(rows.get(f"{key}/{name}")), worst(rows.get(f"{key}/{name}"))]
                for name, (what, _) in bench_rows.GAPS.items()])
    yield ("Real programs, from start to end", ["", *bench_rows.MODES.values()],
           [line(name, *(f"{name}/{mode}" for mode in bench_rows.MODES))
            for name in ("python3", "gzip", "sqlite3")])
    yield ("A process that computes, on the CPU of a rendezvous pair",
           ["", "share of the CPU"],
           [line(title, key) for key, _, title in bench_rows.FAIRNESS if key in rows])


def verdict(entry):
    if "missing" in entry:
        return "not measured"
    return "reached" if entry["reached"] else "not reached"


def floors(results):
    """Return heads and lines of the table of floors."""
    lines = []
    for entry in results["floors"]:
        if "missing" in entry:
            lines.append([entry["floor"], "-", "-", "-", verdict(entry)])
            continue
        factor = f"{entry['factor']:.3f}" if entry["factor"] is not None else "-"
        lines.append([entry["floor"], number(entry["value"]), number(entry["limit"]),
                      factor, verdict(entry)])
    return ["floor", "measured", "at most", "factor", "result"], lines


def heading(results):
    machine = results["machine"]
    unit = ("instructions, by QEMU's instruction clock"
            if results["clock"] == "instructions" else "nanoseconds")
    lines = [f"{machine['where']}: Linux {machine['kernel']}",
             f"{machine['cpus']} CPU(s): {machine['model']}",
             f"Unit: {unit}. Medians of up to {results['rounds']} rounds, ± half the "
             "distance of the quartiles."]
    if "added" in results:
        lines.append(f"Rows and floors of two CPUs: a run of their own, of "
                     f"{results['added']} rounds.")
    return lines


def notes(results):
    """The rows that were not measured, with reasons."""
    return [f"{row['title']}: not measured: {row['absent']}"
            for row in results["rows"].values() if row.get("absent")]


def text(results):
    parts = ["\n".join(heading(results))]
    for title, heads, lines in tables(results):
        parts.append(f"{title}\n\n{table(heads, lines)}")
    parts.append("Floors\n\n" + table(*floors(results)))
    if notes(results):
        parts.append("\n".join(notes(results)))
    return "\n\n".join(parts) + "\n"
