"""What was made last, so that it need not be made again."""

from collections.abc import Callable, Hashable
from typing import Any


class Recent:
    """Keeps the few things that were made last, by key.

    Args:
        size: How many.

    Example:
        >>> kept = Recent(2)
        >>> kept.get("a", list) is kept.get("a", list)
        True
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What was made for a key, made now if it is not there.

        The oldest goes first, so that memory is free before the new one takes it.
        """
        if key not in self._kept:
            while len(self._kept) >= self.size:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = make()
        return self._kept[key]
