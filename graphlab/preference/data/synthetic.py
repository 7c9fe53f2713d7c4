"""Groups of users with opinions of their own: a test bed for personalization."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graphlab.nn._checks import check_choice
from graphlab.preference.data.groups import check_groups, sample_groups
from graphlab.preference.data.pool import PairPool
from graphlab.preference.data.split import PreferenceSplit

#: Settings that mimic UltraFeedback-P-2 and -P-4 at several densities.
PRESETS = {
    "uf2-200": dict(num_groups=2, num_prompts=200, num_annotations=8),
    "uf2-1000": dict(num_groups=2, num_prompts=1000, num_annotations=8),
    "uf2-4000": dict(num_groups=2, num_prompts=4000, num_annotations=8),
    "uf4-1000": dict(
        num_groups=4, num_prompts=1000, num_annotations=16, common_share=0.0
    ),
}


@dataclass(frozen=True)
class SyntheticGroups:
    """Users in groups of equal size who annotate prompts with two responses each.

    On a prompt all groups agree with probability ``common_share``; else each group's
    opinion is a fair coin, tossed again where all agree. With two groups, prompts are
    common or controversial; with more, a prompt counts as controversial if 40 to 60 %
    of the users prefer either response. Nothing but who prefers what can be known of a
    response, and users of a group differ by noise alone.

    Args:
        num_groups: Number of groups.
        num_prompts: Number of prompts; prompt ``p`` has the responses ``2p`` and
            ``2p + 1``.
        num_annotations: Pairs each user annotates, one of them for validation.
        common_share: Probability that all groups agree.
        noise: Share of labels that are flipped, test pairs included (which bounds the
            accuracy by one minus it).
        noisy_test: Whether test pairs have noise as well.
        num_users: Number of seen users.
        num_unseen: Number of unseen users.
        num_test: Test pairs of each user, on prompts that the user did not annotate.
        new_prompts: Number of further prompts that the graph does not know.
        num_new: Test pairs of each user on these.
        average: Whether users annotate different numbers of pairs, see
            :meth:`PairPool.sample`.
        seed: Seed of everything.

    Raises:
        ArgumentError: If a value is out of its range.

    Example:
        >>> few = SyntheticGroups(num_prompts=100, num_users=40, num_unseen=10)
        >>> split = few.split()
        >>> len(split.context), len(split.val), len(split.adapt), len(split.test)
        (280, 40, 80, 2000)
    """

    num_groups: int = 2
    num_prompts: int = 1000
    num_annotations: int = 8
    common_share: float = 0.5
    noise: float = 0.0
    noisy_test: bool = True
    num_users: int = 2000
    num_unseen: int = 500
    num_test: int = 50
    new_prompts: int = 0
    num_new: int = 0
    average: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_groups(self)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> "SyntheticGroups":
        """A named setting, with changes.

        Args:
            name: ``"uf2-200"``, ``"uf2-1000"``, ``"uf2-4000"`` (two groups, half of
                the prompts common, 8 annotations) or ``"uf4-1000"`` (four groups, no
                prompt on which all agree, 16 annotations).
            **changes: Arguments that differ.
        """
        check_choice("name", name, tuple(PRESETS))
        return replace(cls(**PRESETS[name]), **changes)

    def split(self) -> PreferenceSplit:
        """Draw opinions, users and their annotations."""
        generator = np.random.default_rng(self.seed)
        return sample_groups(self, np.eye(self.num_groups), self._pool, generator)

    def _pool(self, generator: np.random.Generator) -> PairPool:
        count = self.num_prompts + self.new_prompts
        opinion = generator.integers(0, 2, size=(count, self.num_groups))
        while (alike := opinion.min(1) == opinion.max(1)).any():
            again = (int(alike.sum()), self.num_groups)
            opinion[alike] = generator.integers(0, 2, size=again)
        common = generator.random(count) < self.common_share
        opinion[common] = opinion[common][:, :1]
        prompt = np.arange(count)
        return PairPool(
            first=2 * prompt,
            second=2 * prompt + 1,
            differences=2.0 * opinion - 1,
            held_out=prompt >= self.num_prompts,
        )
