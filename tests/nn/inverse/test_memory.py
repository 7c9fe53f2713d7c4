"""Memory of long stacks, counted tensor by tensor and so the same on every machine."""

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from graphlab.nn import ReverseGCN

STATE = 400 * 16 * 4  # bytes


class Peak(TorchDispatchMode):
    """The most bytes that tensors made inside were alive with at once."""

    def __init__(self):
        super().__init__()
        self.alive, self.peak = {}, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided:
                storage = tensor.untyped_storage()
                if storage._cdata not in self.alive:
                    self.alive[storage._cdata] = (
                        StorageWeakRef(storage),
                        storage.nbytes(),
                    )
        gone = [key for key, (ref, _) in self.alive.items() if ref.expired()]
        for key in gone:
            del self.alive[key]
        # Without the block that teaches the allocator, which is never touched.
        now = sum(size for _, size in self.alive.values() if size < 2**24)
        self.peak = max(self.peak, now)
        return out


def peak_states(num_reverse_layers, max_iter, grad="implicit"):
    torch.manual_seed(0)
    x, edge_index = torch.randn(400, 8), torch.randint(400, (2, 1200))
    depths = {"num_layers": 4, "num_reverse_layers": num_reverse_layers}
    kwargs = {"max_iter": max_iter, "tol": 0.0, "coeff": 0.5, "grad": grad}
    model = ReverseGCN(8, 16, 2, **depths, **kwargs)
    model._warned = True  # of course: the tolerance is 0
    model(x, edge_index).sum().backward()  # graph structures
    with Peak() as counter:
        model(x, edge_index).sum().backward()
    return counter.peak / STATE


def test_memory_does_not_grow_with_the_iterations():
    few, many = peak_states(16, 3), peak_states(16, 30)
    assert many <= few + 1
    assert peak_states(16, 6, "unroll") > 3 * many  # or the count would be wrong


def test_memory_grows_with_the_root_of_the_layers():
    short, long = peak_states(16, 3), peak_states(256, 3)
    assert long - short < 16  # 4 states are kept of 16, 16 of 256
