"""What the k-variance bound assumes, and what would make it smaller, in words."""

import math

import numpy as np

from graphlab.analysis.bounds.bound import Assumption
from graphlab.analysis.bounds.sample import GraphSample

#: Share of the mean distance from which on W1 says nothing of the class.
SATURATED = 0.9


def meanings(num_classes: int, mode: str) -> dict[str, str]:
    whose = "embeddings" if mode == "paper-code" else "histograms"
    found = {
        "W1 term": "Lip(rho) Lip(f) / gamma times the mean W1 of the classes",
        "diameter term": "how far the W1 of a sample may be off",
        "confidence term": "how far the empirical risk may be off",
        "Lip(f)": "largest ratio of distances of embeddings and of histograms",
        "Lip(f), 99 % quantile": "99 % of the ratios are below",
        "Lip(f), second pair": "largest ratio without the pair that gives Lip(f)",
        "Lip(rho)": "Lipschitz constant of the margin",
    }
    if mode == "certified":
        found["Lip(f)"] = "B / S, known before the data"
    for c in range(num_classes):
        found |= {
            f"W1 of class {c}": "distance of two samples of the class",
            f"std. error of class {c}": "of W1, by the draw of the samples",
            f"saturation of class {c}": "W1 over the mean distance of two graphs",
            f"diameter of class {c}": f"largest distance of two {whose}",
            f"weight of class {c}": "share of the class in the mean",
            f"k of class {c}": "graphs in each sample",
        }
    return found


def assumptions(
    sample: GraphSample, mode: str, margin, weights, shares: np.ndarray, prior
) -> tuple[Assumption, ...]:
    found = [bounds_model(sample), _constant(sample, mode, prior)]
    if mode == "theorem-5.1-plugin":
        found.append(
            Assumption(
                "W1 is its expectation",
                False,
                "one sample stands for it, without a term for how far it may be off",
            )
        )
    else:
        found.append(_diameter(mode, prior))
    found += [_margin(margin), _weights(weights, shares)]
    if mode == "paper-code":
        text = "each half is drawn by itself from the same graphs, which lowers W1"
        found.append(Assumption("the halves of a class share no graph", False, text))
        text = "it is smaller than ln by a factor of 2.3 under the root"
        found.append(Assumption("log10 in the diameter term is ln", False, text))
    return tuple(found)


def bounds_model(sample: GraphSample) -> Assumption:
    """Whether equal histograms mean equal embeddings."""
    ratios, statement = sample.lipschitz, "histograms bound the model"
    if ratios.violations:
        i, j = ratios.violation_pair
        detail = (
            f"{ratios.violations} of {ratios.num_equal} pairs with equal histograms "
            f"have different embeddings, graphs {i} and {j} the most"
        )
        return Assumption(statement, False, detail)
    detail = f"none of {ratios.num_equal} pairs with equal histograms contradicts it"
    if sample.encoder_bounds_model:
        return Assumption(statement, True, f"by the architecture; {detail}")
    return Assumption(statement, sample.encoder_bounds_model, detail)


def _constant(sample: GraphSample, mode: str, prior) -> Assumption:
    statement = "Lip(f) holds for all graphs"
    if prior:
        detail = f"B / S = {prior.bound:g} / {prior.separation:g}, given"
        return Assumption(statement, True, detail)
    ratios = sample.lipschitz
    where = f" by graphs {ratios.pair[0]} and {ratios.pair[1]}" if ratios.pair else ""
    detail = f"a maximum over {ratios.num_pairs} pairs of training graphs{where}"
    return Assumption(statement, False, detail)


def _diameter(mode: str, prior) -> Assumption:
    statement = "diameters hold for all graphs"
    if prior:
        return Assumption(statement, True, f"{prior.diameter:g}, given")
    if mode == "paper-code":
        detail = "those of embeddings, where the theorem has those of histograms"
        return Assumption(statement, False, detail)
    return Assumption(statement, False, "maxima over pairs of training graphs")


def _margin(margin: str | float) -> Assumption:
    statement = "Lip(rho) is a Lipschitz constant of the margins in R_gamma"
    if margin in ("logit", "softmax"):
        return Assumption(statement, True, f"supremum for {margin} margins")
    if margin == "paper-code":
        detail = "sqrt(K - 1) / K is below the supremum of softmax margins, sqrt(1 / 2)"
        return Assumption(statement, False, detail)
    if margin == "jacobian":
        return Assumption(statement, False, "a maximum over the training graphs")
    if margin < math.sqrt(2):
        detail = f"{margin:g} is below sqrt(2), that of differences of logits"
        return Assumption(statement, False, detail)
    return Assumption(statement, None, f"{margin:g}, given")


def _weights(weights, shares: np.ndarray) -> Assumption:
    statement = "weights are the distribution of classes"
    if not isinstance(weights, str):
        return Assumption(statement, True, "given")
    if weights == "worst":
        return Assumption(statement, True, "the worst class bounds any mean")
    detail = "frequencies in training" if weights == "frequency" else "all are equal"
    return Assumption(statement, None, detail)


def advice(
    sample: GraphSample, parts, w1: float, spread: float, risk: float, margin
) -> tuple[str, ...]:
    tail = parts.tail
    value = w1 + spread + tail
    terms = {"W1 term": w1, "diameter term": spread, "confidence term": tail}
    largest = max(terms, key=terms.get)
    found = [f"the {largest} makes up {terms[largest] / value:.0%} of the value"]
    found += _of_lipschitz(sample, parts, w1 + spread, tail)
    if margin != "softmax" and value + risk >= 1:
        found += _of_gamma(sample, parts.gamma, w1 + spread, tail)
    if value + risk >= 1:
        found += _of_size(sample, w1, spread + tail, 1 - risk)
    return (*found, *_of_saturation(parts))


def _of_lipschitz(sample: GraphSample, parts, scaled: float, tail: float) -> list[str]:
    ratios = sample.lipschitz
    if parts.lip_f != ratios.max or not ratios.max:
        return []
    second = scaled * ratios.second / ratios.max + tail
    q99 = scaled * ratios.q99 / ratios.max + tail
    i, j = ratios.pair
    return [
        f"Lip(f) = {ratios.max:.3g} is set by graphs {i} and {j}; without this pair "
        f"the value would be {second:.3g}, with the 99 % quantile {q99:.3g}"
    ]


def _of_gamma(
    sample: GraphSample, gamma: float, scaled: float, tail: float
) -> list[str]:
    """What other margins would give; they would have to be chosen before the data."""
    found = []
    if tail < 1:
        needed = scaled * gamma / (1 - tail)
        risk = sample.margin_risk(needed)
        found.append(
            f"it falls below 1 at gamma = {needed:.3g}, where R_gamma is {risk:.3g}"
        )
    best, bound = best_margin(sample.margins, scaled * gamma, tail)
    if math.isfinite(bound):
        found.append(
            f"the best margin, gamma = {best:.3g}, would bound the risk by {bound:.3g}"
        )
    return found


def best_margin(
    margins: np.ndarray, numerator: float, tail: float
) -> tuple[float, float]:
    """The margin with the least sum of empirical risk and bound, and that sum.

    Between two training margins only the bound changes, so just below one is best.
    """
    found = np.unique(margins[margins > 0])
    if not found.size:
        return math.nan, math.inf
    below = np.searchsorted(np.sort(margins), found) / len(margins)
    sums = below + numerator / found + tail
    place = int(sums.argmin())
    return float(found[place]), float(sums[place])


def _of_size(sample: GraphSample, w1: float, rest: float, room: float) -> list[str]:
    if w1 >= room:
        return [
            f"the W1 term alone is {w1:.3g}: no number of graphs is enough unless it "
            "falls with them"
        ]
    need = math.ceil(sample.num_graphs * (rest / (room - w1)) ** 2)
    return [f"with W1, Lip(f) and diameters unchanged it needs {need} graphs"]


def _of_saturation(parts) -> list[str]:
    high = [c for c, k in enumerate(parts.found) if k.saturation > SATURATED]
    if not high:
        return []
    c = max(high, key=lambda each: parts.found[each].saturation)
    return [
        f"graphs of class {c} share hardly a colour: W1 is "
        f"{parts.found[c].saturation:.2f} of the mean distance, so that it measures "
        "their size; fewer rounds would let classes show"
    ]
