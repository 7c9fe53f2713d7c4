"""When and on what the runs were made, without naming the machine."""

from collections.abc import Iterable

from graphlab.benchmark.report.numbers import plural

# Only what says how fast and what kind a machine is; never a host or user name.
_CPU = ("cpu_model", "cpu", "processor")
_CORES = ("cores", "cpu_count")
_PARTS = ("device", "gpu", "platform", "system", "machine")


def environment(runs: list[dict]) -> list[tuple[str, str]]:
    """Notes on dates, versions, machine class and commit."""
    return [
        ("Dates", _dates(runs)),
        ("Versions", _versions(run.get("versions") or {} for run in runs)),
        ("Machine", _hosts(run.get("host") or {} for run in runs)),
        ("Commit", _few(_commit(str(run.get("commit") or "")) for run in runs)),
        ("Cost", _cost(runs)),
    ]


def _commit(name: str) -> str:
    """Twelve digits, and whether files differed from that commit."""
    digits, _, dirty = name.partition("-")
    return digits[:12] + (" with local changes" if dirty else "")


def _dates(runs: list[dict]) -> str:
    stamps = [run.get(key) for run in runs for key in ("started", "finished")]
    days = sorted(str(stamp)[:10] for stamp in stamps if stamp)
    if not days:
        return ""
    return days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"


def _versions(records: Iterable[dict]) -> str:
    found: dict[str, dict[str, None]] = {}
    for record in records:
        for name, version in record.items():
            found.setdefault(name, {})[str(version)] = None
    return ", ".join(f"{name} {' / '.join(found[name])}" for name in sorted(found))


def _hosts(records: Iterable[dict]) -> str:
    return _few(_host(record) for record in records if record)


def _host(record: dict) -> str:
    cpu = next((str(record[key]) for key in _CPU if record.get(key)), "")
    cores = next((record[key] for key in _CORES if record.get(key)), None)
    parts = [cpu, plural(int(cores), "core") if cores else ""]
    parts += [str(record[key]) for key in _PARTS if record.get(key)]
    if record.get("threads"):
        parts.append(plural(int(record["threads"]), "torch thread"))
    return ", ".join(filter(None, parts))


def _few(items: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(item for item in items if item))


def _cost(runs: list[dict]) -> str:
    seconds = [run["seconds"] for run in runs if run.get("seconds")]
    if not seconds:
        return ""
    memory = [run["peak_memory_mb"] for run in runs if run.get("peak_memory_mb")]
    peak = f", peak memory {max(memory):,.0f} MB" if memory else ""
    return f"{plural(len(runs), 'run')} in {_clock(sum(seconds))}{peak}"


def _clock(total: float) -> str:
    if total < 120:
        return f"{total:.0f} seconds"
    return f"{total / 60:.0f} minutes" if total < 7200 else f"{total / 3600:.1f} hours"
