"""What generators of users in groups share: checks, and the draw of users and pairs."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from graphlab.errors import ArgumentError
from graphlab.nn._checks import require_whole
from graphlab.preference.data.pool import PairPool
from graphlab.preference.data.split import PreferenceSplit


class GroupSettings(Protocol):
    """The arguments that such generators have in common."""

    num_groups: int
    num_prompts: int
    num_annotations: int
    common_share: float
    noise: float
    noisy_test: bool
    num_users: int
    num_unseen: int
    num_test: int
    new_prompts: int
    num_new: int
    average: bool


def check_groups(settings: GroupSettings) -> None:
    """Refuse values out of range that :meth:`PairPool.sample` does not look at.

    Raises:
        ArgumentError: The message names the argument.
    """
    require_whole("num_groups", settings.num_groups, 2)
    require_whole("num_prompts", settings.num_prompts, 1)
    require_whole("num_users", settings.num_users, 1)
    require_whole("new_prompts", settings.new_prompts, 0)
    if not 0 <= settings.common_share <= 1:
        raise ArgumentError(
            f"common_share must lie in [0, 1], got {settings.common_share!r}"
        )


def sample_groups(
    settings: GroupSettings,
    tastes: np.ndarray,
    pool: Callable[[np.random.Generator], PairPool],
    generator: np.random.Generator,
) -> PreferenceSplit:
    """Put users into groups of equal size and draw their annotations.

    Args:
        settings: The numbers.
        tastes: What each group likes, a row a group.
        pool: Makes the pairs to draw from, once the users are drawn.
        generator: Source of all chance.
    """
    groups = np.concatenate(
        [
            generator.permutation(count) % settings.num_groups
            for count in (settings.num_users, settings.num_unseen)
        ]
    )
    return pool(generator).sample(
        tastes[groups],
        settings.num_unseen,
        settings.num_annotations,
        num_test=settings.num_test,
        num_new=settings.num_new,
        average=settings.average,
        noise=settings.noise,
        noisy_test=settings.noisy_test,
        groups=groups,
        generator=generator,
    )
