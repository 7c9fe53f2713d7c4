"""How well a stack of layers is undone by its inverses, by depth.

Run ``python benchmarks/reverse_gnn/inverse_error.py [--data-root DIR] [--hidden 64]``.

Features of minesweeper, encoded by a random linear map and ReLU, go through ``L``
layers and then back through their ``L`` inverses, each iterated until rounding stops
it (at most 60 iterations). Printed is the largest absolute error, in parentheses the
largest entry of the state between, for weights at initialization, as a Markdown table.
"""

import argparse
import math
import warnings

import torch

from graphlab.datasets import load_dataset
from graphlab.errors import ArgumentError
from graphlab.nn import FeatureLinear, GCNConv, InvertibleResidual

CAPS = (("frobenius", 0.999), ("spectral", 0.5), ("spectral", 0.9))
DEPTHS = (1, 16, 64, 256)
TOL = {torch.float: 2e-7, torch.double: 2e-15}


@torch.no_grad()
def round_trip(x, edge_index, depth: int, tied: bool, norm: str, coeff: float):
    """The error, and the largest entry of the state in the middle."""
    torch.manual_seed(1)
    width, limits = x.size(1), {"max_iter": 60, "tol": TOL[x.dtype]}
    blocks = [
        InvertibleResidual(GCNConv(width, width), coeff, norm, **limits).to(x.dtype)
        for _ in range(1 if tied else depth)
    ]
    order = [blocks[i % len(blocks)] for i in range(depth)]
    state = x
    for block in order:
        state = block(state, edge_index)
    largest = float(state.abs().max())
    try:
        for block in reversed(order):
            state = block.inverse(state, edge_index)[0]
    except ArgumentError:  # a state overflowed
        return math.inf, largest
    return float((state - x).abs().max()), largest


def print_row(cells: list[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", default=None)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--depths", type=int, nargs="+", default=DEPTHS)
    options = parser.parse_args()
    data = load_dataset("minesweeper", options.data_root)
    torch.manual_seed(0)
    encoded = FeatureLinear(data.num_features, options.hidden)(data.x).relu().detach()
    head = ["type", "cap", "weights", *(f"L = {depth}" for depth in options.depths)]
    print_row(head)
    print_row(["---"] * len(head))
    warnings.simplefilter("ignore")  # that rounding stops an inverse is the subject
    for dtype in (torch.float, torch.double):
        for norm, coeff in CAPS:
            for tied in (True, False):
                row = []
                for depth in options.depths:
                    x = encoded.to(dtype)
                    arguments = (depth, tied, norm, coeff)
                    error, size = round_trip(x, data.edge_index, *arguments)
                    row.append(f"{error:.0e} ({size:.0e})")
                names = (str(dtype)[6:], f"{norm} {coeff:g}", "one" if tied else "own")
                print_row([*names, *row])


if __name__ == "__main__":
    main()
