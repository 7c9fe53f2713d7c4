"""How numbers are written: two decimals of a percent, a dash for what is undefined."""

import math

DASH = "–"
MINUS = "−"


def defined(value: float | None) -> bool:
    """Whether there is a finite number to print."""
    return value is not None and math.isfinite(value)


def decimal(value: float | None, digits: int = 2) -> str:
    """A number with fixed decimals; never ``-0.00``; a dash when undefined."""
    if not defined(value):
        return DASH
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def percent(fraction: float | None, digits: int = 2) -> str:
    """A fraction as percent, without the sign: ``0.8714`` gives ``87.14``."""
    return decimal(100 * fraction if defined(fraction) else None, digits)


def signed(value: float | None, digits: int = 2) -> str:
    """A number that always shows its sign, except zero."""
    text = decimal(value, digits)
    return f"+{text}" if defined(value) and float(f"{value:.{digits}f}") > 0 else text


def plus_minus(centre: str, spread: str) -> str:
    """``88.20 ± 0.98``; only a dash when there is no centre."""
    return centre if centre == DASH else f"{centre} ± {spread}"


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """``[87.25, 89.10]``; a dash when undefined."""
    if not (defined(low) and defined(high)):
        return DASH
    return f"[{decimal(low, digits)}, {decimal(high, digits)}]"


def p_value(p: float | None) -> str:
    """Three decimals, ``<.001`` below; a dash when there was no test."""
    if not defined(p):
        return DASH
    return "<.001" if p < 0.0005 else f"{p:.3f}".replace("0.", ".", 1)


def seconds(value: float | None) -> str:
    """Seconds with about three significant digits."""
    if not defined(value):
        return DASH
    return (
        f"{value:.2f}"
        if value < 10
        else f"{value:.1f}"
        if value < 100
        else f"{value:.0f}"
    )


def count(value: float | None) -> str:
    """A parameter count: ``23,1k`` style is avoided; ``23.1k``, ``1.44M``."""
    if not defined(value):
        return DASH
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return (
                f"{value / size:.3g}{unit}"
                if value / size < 999.5
                else f"{value / size:.0f}{unit}"
            )
    return f"{value:.0f}"


def plural(number: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listing(words: list[str]) -> str:
    """``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
