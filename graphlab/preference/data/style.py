"""Groups of users who like answers written one way or the other: texts with a reason.

The texts are generated, so that who prefers what follows from what can be read.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from graphlab.preference.data.groups import check_groups, sample_groups
from graphlab.preference.data.pool import PairPool
from graphlab.preference.data.split import PreferenceSplit
from graphlab.preference.data.style_bank import (
    FLAWS,
    FRAMES,
    QUESTIONS,
    RUDE,
    STYLES,
    TOPICS,
)
from graphlab.preference.data.texts import TEMPLATE

LONG, SHORT = 3, 1  # pieces of advice


@dataclass(frozen=True)
class StylePreferences:
    """Users in groups who annotate prompts with two answers of different style.

    A prompt asks for advice; its two answers give the same advice, and differ in one
    style: long or short, formal or casual, assertive or hedging, a list or prose. Each
    group likes one side of each style, and half of the groups (rounded at random) like
    the other; two groups disagree on every style. On a share of the prompts one answer
    has a flaw instead that nobody likes: it is rude, scrambled, off topic, or says one
    thing over and over. What a user will prefer can thus be read off new answers, to
    prompts on topics that no pair of the graph is about, by whoever knows the group.

    The texts are English sentences of a small bank of our own: what is learned here is
    style, not the world.

    Args:
        num_groups: Number of groups.
        num_prompts: Number of prompts; prompt ``p`` has the responses ``2p`` and
            ``2p + 1``.
        num_annotations: Pairs each user annotates, one of them for validation.
        common_share: Share of the prompts where one answer has a flaw (at random).
        noise: Share of labels that are flipped, test pairs included (which bounds the
            accuracy by one minus it).
        noisy_test: Whether test pairs have noise as well.
        num_users: Number of seen users.
        num_unseen: Number of unseen users.
        num_test: Test pairs of each user, on prompts that the user did not annotate.
        new_prompts: Number of further prompts, on a quarter of the topics, that the
            graph does not know; the other prompts are not about these topics.
        num_new: Test pairs of each user on these.
        average: Whether users annotate different numbers of pairs, see
            :meth:`PairPool.sample`.
        seed: Seed of everything.

    Raises:
        ArgumentError: If a value is out of its range.

    Example:
        >>> few = StylePreferences(num_prompts=60, num_users=40, num_unseen=10)
        >>> split = few.split()
        >>> len(split.context), len(split.val), len(split.adapt), len(split.new_test)
        (280, 40, 80, 400)
        >>> split.texts.columns.tolist()
        ['response', 'prompt', 'answer', 'text']
    """

    num_groups: int = 2
    num_prompts: int = 300
    num_annotations: int = 8
    common_share: float = 0.3
    noise: float = 0.0
    noisy_test: bool = True
    num_users: int = 800
    num_unseen: int = 200
    num_test: int = 20
    new_prompts: int = 100
    num_new: int = 10
    average: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_groups(self)

    def split(self) -> PreferenceSplit:
        """Write the texts, draw users and their annotations."""
        generator = np.random.default_rng(self.seed)
        return sample_groups(self, self._tastes(generator), self._pool, generator)

    def _tastes(self, generator: np.random.Generator) -> np.ndarray:
        """What each group likes, a column a style; nobody likes the flaw (last)."""
        half = np.arange(self.num_groups) % 2 * 2.0 - 1
        columns = [generator.permutation(half) for _ in STYLES]
        return np.stack([*columns, np.ones(self.num_groups)], 1)

    def _pool(self, generator: np.random.Generator) -> PairPool:
        count = self.num_prompts + self.new_prompts
        order = generator.permutation(list(TOPICS))
        kept = len(order) - (len(order) // 4 if self.new_prompts else 0)
        topics = [
            *generator.choice(order[:kept], self.num_prompts),
            *generator.choice(order[kept:] if self.new_prompts else [""], count)[
                : self.new_prompts
            ],
        ]
        common = generator.random(count) < self.common_share
        style = generator.integers(len(STYLES), size=count)
        axis = np.where(common, len(STYLES), style)
        better = generator.integers(2, size=count)  # which answer has the first value
        differences = np.zeros((count, len(STYLES) + 1))
        differences[np.arange(count), axis] = 1.0 - 2 * better
        rows = []
        for prompt, topic in enumerate(topics):
            question, first, second = _write(str(topic), int(axis[prompt]), generator)
            answers = (second, first) if better[prompt] else (first, second)
            rows += [(2 * prompt + k, question, a) for k, a in enumerate(answers)]
        texts = pd.DataFrame(rows, columns=["response", "prompt", "answer"])
        texts["text"] = [
            TEMPLATE.format(prompt=p, response=a)
            for p, a in zip(texts["prompt"], texts["answer"], strict=True)
        ]
        number = np.arange(count)
        return PairPool(
            first=2 * number,
            second=2 * number + 1,
            differences=differences,
            held_out=number >= self.num_prompts,
            texts=texts,
        )


def _write(topic: str, axis: int, generator: np.random.Generator) -> tuple[str, ...]:
    """A question, and two answers: with the first value of the axis, with the other."""
    question = QUESTIONS[generator.integers(len(QUESTIONS))].format(task=topic)
    tips = generator.permutation(TOPICS[topic])[:LONG].tolist()
    frames = generator.integers(3, size=LONG).tolist()
    profile = {name: values[generator.integers(2)] for name, values in STYLES.items()}
    if axis == len(STYLES):
        good = _answer(tips, frames, profile)
        return question, good, _spoil(topic, tips, frames, profile, generator)
    name, values = list(STYLES.items())[axis]
    if name == "layout":
        profile["length"] = "long"
    elif name == "length":
        profile["layout"] = "prose"
    return question, *(_answer(tips, frames, {**profile, name: v}) for v in values)


def _answer(tips: list[str], frames: list[int], profile: dict[str, str]) -> str:
    number = LONG if profile["length"] == "long" else SHORT
    kinds = FRAMES[profile["formality"], profile["confidence"]]
    sentences = [
        kinds[frame].format(tip=tip)
        for tip, frame in zip(tips[:number], frames, strict=False)
    ]
    if profile["layout"] == "list" and number > 1:
        return "\n".join(f"{k}. {each}" for k, each in enumerate(sentences, 1))
    return " ".join(sentences)


def _spoil(topic, tips, frames, profile, generator: np.random.Generator) -> str:
    flaw = FLAWS[generator.integers(len(FLAWS))]
    if flaw == "off topic":
        others = [each for each in TOPICS if each != topic]
        other = others[generator.integers(len(others))]
        tips = generator.permutation(TOPICS[other])[:LONG].tolist()
    elif flaw == "repetitive":
        sentence = _answer(tips, frames, {**profile, "length": "short"})
        return " ".join([sentence] * LONG)
    answer = _answer(tips, frames, profile)
    if flaw == "rude":
        return f"{answer} {RUDE[generator.integers(len(RUDE))]}"
    if flaw == "scrambled":
        return " ".join(generator.permutation(answer.split()).tolist())
    return answer
