"""Figures of merit of trained replicas."""

import warnings

import torch
from sklearn.metrics import balanced_accuracy_score, f1_score
from torch import Tensor

from graphlab.training.roc_auc import binary_scores, roc_auc


def evaluate(logits: Tensor, y: Tensor, mask: Tensor) -> list[dict[str, float]]:
    r"""Accuracy, macro-F1, balanced accuracy, ROC-AUC and loss of each replica.

    Args:
        logits: Class scores :math:`(R, N, C)`.
        y: Classes :math:`(N)`.
        mask: Nodes that count, :math:`(R, N)`.

    Returns:
        One dictionary a replica with ``accuracy``, ``macro_f1`` (mean over the
        classes that occur in labels or predictions), ``balanced_accuracy`` (mean
        recall over the classes that occur in the labels) and ``roc_auc``, all in
        :math:`[0, 1]`, higher is better, and ``loss`` (mean cross-entropy in nats). NaN
        where the mask selects no node; ``roc_auc`` also where there are not two
        classes or the mask holds only one of them.
    """
    return [_evaluate_one(z[m], y[m]) for z, m in zip(logits, mask, strict=True)]


def _evaluate_one(logits: Tensor, y: Tensor) -> dict[str, float]:
    if not len(y):
        names = ("accuracy", "macro_f1", "balanced_accuracy", "roc_auc", "loss")
        return dict.fromkeys(names, float("nan"))
    true, predicted = y.cpu().numpy(), logits.argmax(-1).cpu().numpy()
    with warnings.catch_warnings():  # a predicted class without labels is no news here
        warnings.simplefilter("ignore", UserWarning)
        balanced = balanced_accuracy_score(true, predicted)
    return dict(
        accuracy=float((true == predicted).mean()),
        macro_f1=float(f1_score(true, predicted, average="macro", zero_division=0)),
        balanced_accuracy=float(balanced),
        roc_auc=_roc_auc(logits, y),
        loss=float(torch.nn.functional.cross_entropy(logits.double(), y)),
    )


def _roc_auc(logits: Tensor, y: Tensor) -> float:
    if logits.size(-1) != 2:
        return float("nan")
    scores = binary_scores(logits).unsqueeze(0)
    positive = (y == 1).unsqueeze(0)
    return float(roc_auc(scores, positive, torch.ones_like(positive)))


def is_collapsed(logits: Tensor, mask: Tensor) -> bool:
    r"""Whether all nodes of the mask are predicted as one and the same class.

    Args:
        logits: Class scores :math:`(N, C)`.
        mask: Nodes that count :math:`(N)`; fewer than two nodes never collapse.
    """
    predicted = logits[mask].argmax(-1)
    return len(predicted) > 1 and bool((predicted == predicted[0]).all())
