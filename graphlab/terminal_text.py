"""Text for a terminal, made as a string: only the command line prints."""

import io
import re

from rich.console import Console


def text_console(width: int, color: bool) -> Console:
    """A console whose output :func:`finished_text` returns."""
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},  # the same text whatever the caller's terminal is
    )


def finished_text(console: Console) -> str:
    """What was printed, without trailing blanks and with one empty line at a time."""
    lines = (line.rstrip() for line in console.file.getvalue().split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
