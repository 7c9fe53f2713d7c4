"""The rows of the benchmark of the operations, as tables."""

from rich.console import Console
from rich.table import Table

TITLES = {
    "sum_fwd": "sum, forward",
    "wsum": "weighted sum",
    "wsum_grad": "same, weight grad.",
    "gat": "GAT, 8 heads",
}


def show(rows: list[dict], peers: list[str], form: str) -> int:
    """Print one table for each number of threads and clock; 1 if results disagree."""
    lines = ["| graph | nodes | directed edges | largest degree | median |"]
    lines += ["|---|--:|--:|--:|--:|"]
    for name in dict.fromkeys(row["graph"] for row in rows):
        row = next(row for row in rows if row["graph"] == name)
        counts = ("nodes", "edges", "max_degree", "median_degree")
        lines.append(f"| {name} | " + " | ".join(f"{row[c]:,}" for c in counts) + " |")
    print("\n".join(lines) + "\n")
    kinds = dict.fromkeys((row["device"], row["threads"]) for row in rows)
    for device, threads in kinds:
        group = [r for r in rows if (r["device"], r["threads"]) == (device, threads)]
        for clock in ("cpu_ms", "wall_ms"):
            if device == "cuda" and clock == "cpu_ms":
                continue
            _print(_title(device, threads, clock), _table(group, peers, clock), form)
    return _notes(rows)


def _title(device: str, threads: int, clock: str) -> str:
    if device == "cuda":
        return "CUDA, time of the device"
    name = "CPU time" if clock == "cpu_ms" else "wall time"
    return f"{name}, {threads} thread{'s' if threads > 1 else ''}"


def _table(rows: list[dict], peers: list[str], clock: str) -> list[list[str]]:
    others = [peer for peer in peers if peer not in ("pyg", "ours")]
    head = ["graph", "F", "operation", "pyg ms", *others, "ours", "ours ms"]
    head += ["floor ms", "of the floor", "pyg MB", "ours MB", "ours/pyg MB", "error"]
    table = [head]
    for row in rows:
        figures = row["peers"]
        times = {peer: figure.get(clock) for peer, figure in figures.items()}
        megabytes = {peer: figure.get("memory_mb") for peer, figure in figures.items()}
        pyg, ours, floor = times.get("pyg"), times.get("ours"), row["floor"][clock]
        used, own = megabytes.get("pyg"), megabytes.get("ours")
        table.append(
            [
                row["graph"],
                str(row["features"]),
                TITLES.get(row["op"], row["op"]),
                _number(pyg),
                *(_ratio(pyg, times.get(peer)) for peer in (*others, "ours")),
                _number(ours),
                _number(floor),
                f"{floor / ours:.0%}" if ours and floor else "-",
                _number(used),
                _number(own),
                # Below a megabyte the kernel's own accounting is too coarse.
                f"{own / used:.2f}" if used and own is not None and used >= 1 else "-",
                _error(figures),
            ]
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 1e3 else f"{value:,.0f}"


def _ratio(pyg: float | None, time: float | None) -> str:
    if not pyg or not time:
        return "-"
    ratio = pyg / time
    return f"{ratio:.1f}x" if ratio < 100 else f"{ratio:.0f}x"


def _error(figures: dict) -> str:
    errors = [figure.get("error") for figure in figures.values()]
    errors = [error for error in errors if error is not None]
    return f"{max(errors):.0e}" if errors else "-"


def _print(title: str, table: list[list[str]], form: str) -> None:
    head, *body = table
    if form == "md":
        print(f"**{title}**\n")
        print("| " + " | ".join(head) + " |")
        print("|---|--:|---" + "|--:" * (len(head) - 3) + "|")
        for cells in body:
            print("| " + " | ".join(cells) + " |")
        print()
        return
    grid = Table(title=title)
    for name in head:
        text = name in ("graph", "operation")
        grid.add_column(name, justify="left" if text else "right", no_wrap=True)
    for cells in body:
        grid.add_row(*cells)
    Console(width=190).print(grid)


def _notes(rows: list[dict]) -> int:
    """What the columns mean, where the figures come from, and what is missing."""
    print(
        "Peers and ours: times faster than pyg. MB: peak of one call beyond its "
        "inputs. Error: the largest of all peers, by the largest value of a tensor."
    )
    print(
        "Floor: one read of E x F x 4 bytes per pass over the edges (one for sum, "
        "forward, and max, else two) at the gather rate of index_select into a buffer "
        "that stays in the cache:"
    )
    rates: dict[tuple, list[float]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("graph", "features", "threads"))
        rates.setdefault(key, []).append(row["gather_gb_s"])
    for (graph, features, threads), values in rates.items():
        spread = f"{min(values):.1f} to {max(values):.1f} GB/s (wall)"
        print(f"- {graph}, F = {features}, {threads} thread(s): {spread}")
    for threads in dict.fromkeys(row["threads"] for row in rows):
        copies = [row["copy_gb_s"] for row in rows if row["threads"] == threads]
        text = f"{min(copies):.1f} to {max(copies):.1f} GB/s read and written"
        print(f"- a copy of large tensors, {threads} thread(s): {text}")
    sources = ("date", "machine", "torch", "pyg", "backend", "malloc")
    for source in dict.fromkeys(
        ", ".join(f"{name} {row[name]}" for name in sources if row[name])
        for row in rows
    ):
        print(f"- measured: {source}")
    counts = [
        f["rounds"] for row in rows for f in row["peers"].values() if "rounds" in f
    ]
    if counts:
        print(f"- medians of {min(counts)} to {max(counts)} rounds")
    if any(row["pyg_with_torch_scatter"] for row in rows):
        print("- PyG itself uses torch_scatter here")
    skipped: dict[tuple, list[str]] = {}
    wrong = False
    for row in rows:
        for peer, figure in row["peers"].items():
            reference = figure.get("error_against", "pyg")
            if reference != "pyg":
                text = f"compared with {reference}"
                skipped.setdefault((peer, text), []).append(_place(row))
            if "skipped" in figure:
                key = (peer, "left out: " + figure["skipped"])
                skipped.setdefault(key, []).append(_place(row))
                wrong |= "differs from" in figure["skipped"]
    for (peer, reason), places in skipped.items():
        print(f"- {peer} {reason} ({', '.join(dict.fromkeys(places))})")
    return int(wrong)


def _place(row: dict) -> str:
    return f"{row['graph']} {row['features']} {row['op']}"
