"""The training loss of all replicas: cross-entropy with soft targets."""

from dataclasses import dataclass

import torch
from torch import Tensor

from graphlab.errors import ArgumentError
from graphlab.training.roc_auc import binary_scores, roc_auc


@dataclass(frozen=True)
class SoftTargets:
    r"""One term of the loss, cross-entropy against class distributions.

    .. math::
        w \, \tau^2 \cdot \frac{1}{|T|} \sum_{i \in T} - \sum_k t_{ik}
        \log \mathrm{softmax}(z_i / \tau)_k

    Args:
        targets: Distributions :math:`t` over classes, :math:`(R, N, C)`, or
            :math:`(N, C)` when shared by all replicas.
        temperature: Softening :math:`\tau` of the scores :math:`z`; its square keeps
            the gradient's size, as in knowledge distillation.
        weight: Weight :math:`w` of the term.
    """

    targets: Tensor
    temperature: float = 1.0
    weight: float = 1.0


class TrainingLoss:
    """Sum over replicas of each replica's mean loss on its training nodes.

    Replicas share no parameter, so the gradient of the sum is that of each by
    itself. Mask, weight and the division by the number of training nodes are folded
    into the targets once, not once an epoch.
    """

    def __init__(self, terms: list[SoftTargets], train_mask: Tensor):
        share = train_mask / train_mask.sum(1, keepdim=True)
        self.terms = [
            (_fold(term, share.to(term.targets.dtype)), term.temperature)
            for term in terms
        ]

    def keep(self, places: Tensor) -> None:
        """Drops all replicas but those at `places`."""
        self.terms = [(targets[places], tau) for targets, tau in self.terms]

    def __call__(self, logits: Tensor) -> Tensor:
        """The loss of all replicas together, a scalar."""
        expected = tuple(self.terms[0][0].shape)
        if tuple(logits.shape) != expected:
            raise ArgumentError(
                f"model must return class scores of shape {expected[1:]} (nodes, "
                f"classes), got {tuple(logits.shape[1:])}"
            )
        return sum(
            -(targets * torch.log_softmax(_softened(logits, tau), -1)).sum()
            for targets, tau in self.terms
        )


def _softened(logits: Tensor, temperature: float) -> Tensor:
    return logits if temperature == 1.0 else logits / temperature


def _fold(term: SoftTargets, share: Tensor) -> Tensor:
    scale = term.weight * term.temperature**2
    return term.targets * (scale * share).unsqueeze(-1)


class ValidationFigures:
    """Validation loss (nats) and accuracy of all replicas, once an epoch.

    The ROC-AUC is computed apart, as only those who monitor it need it.
    """

    def __init__(self, y: Tensor, val_mask: Tensor):
        self.counts = val_mask.sum(1)
        self.width = int(self.counts.max())
        # Nodes of each replica, padded with its own first node at weight zero.
        order = val_mask.int().argsort(dim=1, descending=True, stable=True)
        self.index = order[:, : self.width]
        place = torch.arange(self.width, device=y.device)
        self.weight = place < self.counts.unsqueeze(1)
        self.label = y[self.index].where(self.weight, 0)

    def keep(self, places: Tensor) -> None:
        """Drops all replicas but those at `places`."""
        for name in ("counts", "index", "weight", "label"):
            setattr(self, name, getattr(self, name)[places])

    def __call__(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and accuracy, each :math:`(R)`."""
        scores = torch.log_softmax(self._judged(logits), -1)
        losses = -scores.gather(2, self.label.unsqueeze(-1)).squeeze(-1)
        hits = scores.argmax(-1) == self.label
        loss = losses.where(self.weight, 0).double().sum(1) / self.counts
        accuracy = (hits & self.weight).sum(1).double() / self.counts
        return loss, accuracy

    def roc_auc(self, logits: Tensor) -> Tensor:
        """ROC-AUC of two classes, :math:`(R)`."""
        scores = binary_scores(self._judged(logits))
        return roc_auc(scores, self.label == 1, self.weight)

    def _judged(self, logits: Tensor) -> Tensor:
        """The class scores of the validation nodes, padded to the same number."""
        index = self.index.unsqueeze(-1).expand(-1, -1, logits.size(-1))
        return logits.gather(1, index)
