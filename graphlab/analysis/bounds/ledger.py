"""All bounds of a sample in one place, next to what was measured."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphlab.analysis.bounds._checks import a_positive, a_probability, one_of
from graphlab.analysis.bounds._k_variance_modes import MODES as ALL_MODES
from graphlab.analysis.bounds.bound import Bound, plain
from graphlab.analysis.bounds.k_variance_bound import k_variance_bound
from graphlab.analysis.bounds.kv_margin import kv_margin
from graphlab.analysis.bounds.ledger_latex import render_latex
from graphlab.analysis.bounds.ledger_markdown import render_markdown
from graphlab.analysis.bounds.ledger_terminal import WIDTH, render_terminal
from graphlab.analysis.bounds.pac_bayes_ju import pac_bayes_ju
from graphlab.analysis.bounds.pac_bayes_liao import pac_bayes_liao
from graphlab.analysis.bounds.pac_bayes_paper import pac_bayes_paper
from graphlab.analysis.bounds.pac_hessian import pac_hessian
from graphlab.analysis.bounds.rademacher_colors import rademacher_colors
from graphlab.analysis.bounds.rademacher_garg import rademacher_garg
from graphlab.analysis.bounds.sample import GraphSample
from graphlab.analysis.bounds.vc_bound import vc_bound
from graphlab.analysis.bounds.wl_margin_bound import wl_margin_bound
from graphlab.analysis.separation import separation
from graphlab.errors import ArgumentError, SolverError

MODES = ("theorem-D2", "theorem-5.1-plugin", "algorithm1", "paper-code")


@dataclass(frozen=True)
class Ledger:
    """What :func:`ledger` found.

    Attributes:
        name: What the sample is called.
        sizes: Numbers of graphs and classes.
        settings: Margin, probability of failure and seed.
        measured: Errors and gaps; those of test graphs are there if they were given.
        baselines: Trivial predictors of the gap.
        geometry: Lipschitz factor, concentration and separation of the histograms.
        bounds: All bounds that could be computed.
        refused: From the name of each other bound to the reason.
        banners: What a reader must know first.
    """

    name: str
    sizes: dict[str, int]
    settings: dict[str, float]
    measured: dict[str, float]
    baselines: dict[str, float]
    geometry: dict[str, float]
    bounds: tuple[Bound, ...]
    refused: dict[str, str] = field(default_factory=dict)
    banners: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Bound:
        """The bound of that name."""
        for bound in self.bounds:
            if bound.name == name:
                return bound
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON accepts it."""
        numbers = ("sizes", "settings", "measured", "baselines", "geometry")
        parts = {
            part: {name: plain(value) for name, value in getattr(self, part).items()}
            for part in numbers
        }
        return {
            "name": self.name,
            **parts,
            "banners": list(self.banners),
            "bounds": [bound.to_dict() for bound in self.bounds],
            "refused": dict(self.refused),
        }

    def to_json(self) -> str:
        """The same as text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def to_row(self) -> dict[str, Any]:
        """One flat row for :func:`correlate`: measures, baselines and gaps."""
        return {
            "name": self.name,
            **self.measured,
            **self.baselines,
            **self.geometry,
            **{bound.name: bound.value for bound in self.bounds},
        }

    def to_markdown(self) -> str:
        """Tables in Markdown."""
        return render_markdown(self)

    def to_latex(self) -> str:
        """Tables in LaTeX with booktabs rules."""
        return render_latex(self)

    def to_terminal(self, width: int = WIDTH, color: bool = False) -> str:
        """Tables as text, with ANSI colours if asked for."""
        return render_terminal(self, width, color)


def ledger(
    sample: GraphSample,
    gamma: float = 1.0,
    delta: float = 0.1,
    *,
    modes: Iterable[str] = MODES,
    num_layers: int | None = None,
    baselines: Mapping[str, float] | None = None,
    extra: Iterable[Bound] = (),
    allow_violations: bool = False,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Ledger:
    """Compute all bounds that a sample has what it takes for.

    Bounds that lack something, such as norms of weights, are listed with the reason. So
    are those of :func:`k_variance_bound` where histograms do not bound the model.

    Args:
        sample: Training graphs.
        gamma: Margin of all bounds that have one.
        delta: Probability of failure of each bound that has one.
        modes: Modes of :func:`k_variance_bound`.
        num_layers: Number of layers of the model, as a trivial baseline; by default
            what the sample's norms say.
        baselines: Further predictors of the gap, by name.
        extra: Bounds that were computed elsewhere, for example in mode ``"certified"``.
        allow_violations: Compute the k-variance bounds even if histograms do not bound
            the model.
        seed: Seed of all draws.
        progress: Called with the name of each bound before it is computed.

    Raises:
        ArgumentError: If ``gamma``, ``delta`` or a mode is not accepted.

    Example:
        >>> import numpy as np
        >>> y = np.array([0, 1] * 8)
        >>> sample = GraphSample(np.eye(2)[y], None, np.eye(2)[y] * 3, y, 2)
        >>> found = ledger(sample)
        >>> found["VC"].status
        'heuristic'
        >>> sorted(found.refused)[:2]
        ['PAC-Bayes (Hessian)', 'PAC-Bayes (Ju)']
    """
    gamma, delta = a_positive("gamma", gamma), a_probability("delta", delta)
    modes = tuple(one_of("modes", mode, tuple(ALL_MODES)) for mode in modes)
    plan = _plan(sample, gamma, delta, modes, allow_violations, seed)
    bounds, refused = [], {}
    for name, compute in plan.items():
        if progress:
            progress(name)
        try:
            bounds.append(compute())
        except (ArgumentError, SolverError) as error:
            refused[name] = str(error)
    if progress:
        progress("separation of classes")
    geometry = _geometry(sample, seed, refused)
    bounds += list(extra)
    return Ledger(
        name=sample.name,
        sizes={
            "training graphs": sample.num_graphs,
            "test graphs": 0 if sample.test_y is None else len(sample.test_y),
            "classes": sample.num_classes,
            "different histograms": int(sample.groups.max()) + 1,
        },
        settings={"gamma": gamma, "delta": delta, "seed": seed},
        measured=_measured(sample, gamma),
        baselines=_baselines(sample, num_layers, baselines),
        geometry=geometry,
        bounds=tuple(bounds),
        refused=refused,
        banners=tuple(_banners(sample, gamma, bounds)),
    )


def _plan(
    sample: GraphSample,
    gamma: float,
    delta: float,
    modes: tuple[str, ...],
    allow_violations: bool,
    seed: int,
) -> dict[str, Callable[[], Bound]]:
    def k_variance(mode: str) -> Callable[[], Bound]:
        return lambda: k_variance_bound(
            sample, mode, gamma, delta, allow_violations=allow_violations, seed=seed
        )

    return {
        **{f"k-variance, {mode}": k_variance(mode) for mode in modes},
        "VC": lambda: vc_bound(sample, delta),
        "PAC-Bayes (Ju)": lambda: pac_bayes_ju(sample),
        "PAC-Bayes (Li)": lambda: pac_bayes_paper(sample),
        "PAC-Bayes (Liao)": lambda: pac_bayes_liao(sample, gamma),
        "PAC-Bayes (Hessian)": lambda: pac_hessian(sample),
        "Rademacher (Garg)": lambda: rademacher_garg(sample, gamma),
        "Rademacher (colours)": lambda: rademacher_colors(sample, delta),
        "1-WL margin": lambda: wl_margin_bound(sample),
        "kV-Margin": lambda: kv_margin(sample, seed=seed),
        "kV-GN-Margin": lambda: kv_margin(sample, True, seed=seed),
    }


def _measured(sample: GraphSample, gamma: float) -> dict[str, float]:
    found = {
        "train_error": sample.train_error,
        "margin_risk": sample.margin_risk(gamma),
        "test_error": sample.test_error,
        "error_gap": sample.error_gap,
        "margin_gap": sample.margin_gap(gamma),
        "loss_gap": sample.loss_gap,
        "cross_entropy_gap": sample.cross_entropy_gap,
    }
    return {name: value for name, value in found.items() if value is not None}


def _baselines(
    sample: GraphSample, num_layers: int | None, given: Mapping[str, float] | None
) -> dict[str, float]:
    if num_layers is None and sample.norms is not None:
        num_layers = sample.norms.num_layers
    found = {} if num_layers is None else {"num_layers": float(num_layers)}
    return {**found, "train_error": sample.train_error, **(given or {})}


def _geometry(
    sample: GraphSample, seed: int, refused: dict[str, str]
) -> dict[str, float]:
    ratios = sample.lipschitz
    found = {
        "Lip(f)": ratios.max,
        "Lip(f), 99 % quantile": ratios.q99,
        "concentration": _concentration(sample, seed),
    }
    try:
        apart = separation(sample.histograms, sample.y)
    except (ArgumentError, SolverError) as error:
        refused["separation"] = str(error)
        return found
    ratio = found["concentration"] / apart if apart else float("inf")
    return found | {"separation": apart, "concentration / separation": ratio}


def _concentration(sample: GraphSample, seed: int) -> float:
    """As :func:`concentration`, of what the bounds have computed already."""
    options = {"repeats": 8, "disjoint": True, "pairs": 1, "solver": "auto"}
    found = [each.value for each in sample.k_variances(**options, seed=seed)]
    return float(np.average(found, weights=sample.class_sizes))


def _banners(sample: GraphSample, gamma: float, bounds: list[Bound]) -> list[str]:
    found, ratios = [], sample.lipschitz
    if ratios.violations:
        i, j = ratios.violation_pair
        found.append(
            f"histograms do not bound the model: graphs {i} and {j} have equal "
            f"histograms and different embeddings, as do {ratios.violations} of "
            f"{ratios.num_equal} such pairs; no k-variance bound holds"
        )
    if not sample.has_learned:
        right = (sample.logits.argmax(1) == sample.y).mean()
        share = sample.class_sizes.max() / sample.num_graphs
        found.append(
            f"the model has learned nothing: {right:.1%} of the training graphs are "
            f"right, and the largest class alone makes {share:.1%}"
        )
    if sample.margin_risk(gamma) == 1:
        found.append(
            f"no training graph has a margin above gamma = {gamma:g}: R_gamma = 1, and "
            "margin bounds say nothing"
        )
    vacuous = [bound.name for bound in bounds if bound.status == "vacuous"]
    if vacuous:
        many = f"{len(vacuous)} of {sum(not b.score for b in bounds)} bounds"
        found.append(f"vacuous: {many} do not limit the risk ({'; '.join(vacuous)})")
    return found
