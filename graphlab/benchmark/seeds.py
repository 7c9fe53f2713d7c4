"""The seed of a run: a function of its index alone."""

BASE_SEED = 0


def run_seed(run: int) -> int:
    """The seed of a run's initial weights and dropout.

    It does not depend on which other runs are trained together.
    """
    import numpy as np

    return int(np.random.SeedSequence([BASE_SEED, run]).generate_state(1)[0])
