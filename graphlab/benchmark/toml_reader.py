"""Reading TOML with errors that name file and key.

A :class:`Section` wraps one TOML table. Each value is *taken* once with the type it
must have; whatever is left when the section is :meth:`~Section.done` is a key nobody
knows, which is an error that suggests the nearest one.
"""

import difflib
import tomllib
from pathlib import Path
from typing import Any

from graphlab.errors import ArgumentError, RecipeError

REQUIRED = object()
_WORDS = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


def shown(path: Path) -> str:
    """The path as a reader would type it: relative when it lies below here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file.

    Raises:
        RecipeError: The file cannot be read or is not TOML; the message names the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise RecipeError(f"{shown(path)}: cannot be read: {reason}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{shown(path)}: not valid TOML: {error}") from None


def has_kind(value: Any, kind: type) -> bool:
    """Whether a TOML value serves as ``kind``; a whole number serves as a float."""
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def check_kind(name: str, value: Any, kind: type) -> None:
    """Refuse a value of another type.

    Raises:
        ArgumentError: The message names it and what is accepted.
    """
    if not has_kind(value, kind):
        raise ArgumentError(f"{name} must be {_WORDS[kind]}, got {value!r}")


def kind_in_words(value: Any) -> str:
    """The type of a TOML value and, when short, the value."""
    word = next((w for k, w in _WORDS.items() if has_kind(value, k)), "a date")
    text = repr(value)
    return f"{word} ({text})" if len(text) <= 40 else word


def nearest(name: str, accepted: list[str]) -> str:
    """``did you mean ...?`` or the list of accepted names."""
    lower = {candidate.lower(): candidate for candidate in accepted}
    close = difflib.get_close_matches(name.lower(), lower, n=1)
    if close:
        return f"did you mean {lower[close[0]]!r}?"
    return f"accepted: {', '.join(accepted) or 'none'}"


class Section:
    """One TOML table of a file, read key by key."""

    def __init__(self, content: dict[str, Any], file: Path, path: str = "") -> None:
        self.content, self.file, self.path = content, file, path
        self._known: list[str] = []

    def where(self, key: str = "") -> str:
        """``file: dotted.key`` for messages."""
        dotted = ".".join(part for part in (self.path, key) if part)
        return f"{shown(self.file)}: {dotted}" if dotted else shown(self.file)

    def error(self, key: str, problem: str) -> RecipeError:
        """An error about one key of this section."""
        return RecipeError(f"{self.where(key)}: {problem}")

    def take(self, key: str, kind: type, default: Any = REQUIRED) -> Any:
        """The value of ``key``, which must be of ``kind``."""
        self._known.append(key)
        if key not in self.content:
            if default is REQUIRED:
                # A misspelt key explains a missing one better than its absence does.
                unknown = [k for k in self.content if k not in self._known]
                close = difflib.get_close_matches(key, unknown, n=1)
                hint = f"; {close[0]!r} is not a key" if close else ""
                raise self.error(key, f"missing, must be {_WORDS[kind]}{hint}")
            return default
        value = self.content[key]
        if not has_kind(value, kind):
            problem = f"must be {_WORDS[kind]}, not {kind_in_words(value)}"
            raise self.error(key, problem)
        return value

    def strings(self, key: str, default: Any = REQUIRED) -> tuple[str, ...]:
        """A non-empty list of distinct strings."""
        values = self.take(key, list, default)
        if values is default:
            return default
        if not values or not all(isinstance(value, str) for value in values):
            raise self.error(key, "must be a non-empty list of strings")
        if len(set(values)) < len(values):
            raise self.error(key, "names something twice")
        return tuple(values)

    def one_of(self, key: str, accepted: list[str]) -> str:
        """A string out of ``accepted``."""
        value = self.take(key, str)
        if value not in accepted:
            raise self.error(key, f"unknown {value!r}; {nearest(value, accepted)}")
        return value

    def those_of(self, kinds: dict[str, type]) -> dict[str, Any]:
        """The keys of ``kinds`` that are present; any other key is an error."""
        values = {key: self.take(key, kind, None) for key, kind in kinds.items()}
        self.done()
        return {key: values[key] for key in kinds if key in self.content}

    def positive(self, key: str, default: Any = REQUIRED) -> int:
        """A whole number of at least one."""
        value = self.take(key, int, default)
        if value is not default and value < 1:
            raise self.error(key, f"must be at least 1, not {value}")
        return value

    def section(self, key: str) -> "Section":
        """The sub-table ``key``; an empty one when it is absent."""
        path = ".".join(part for part in (self.path, key) if part)
        return Section(self.take(key, dict, {}), self.file, path)

    def sections(self) -> dict[str, "Section"]:
        """All values of this section as sub-tables, by name."""
        return {name: self.section(name) for name in self.content}

    def done(self) -> None:
        """Raise when there is a key that was never taken."""
        for key in self.content:
            if key not in self._known:
                raise self.error(key, f"unknown key; {nearest(key, self._known)}")
