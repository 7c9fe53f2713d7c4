"""Which epoch is reported and when a replica stops."""

import torch
from torch import Tensor

from graphlab.training.config import TrainingConfig


class Tracker:
    """Best epoch and stopping rule of each replica, for all replicas at once.

    Replicas are addressed by their place in the full list; a step passes the places
    of those that are still training.
    """

    def __init__(self, num_replicas: int, config: TrainingConfig):
        self.config = config
        self.best_epoch = torch.zeros(num_replicas, dtype=torch.long)
        self.best_loss = torch.full((num_replicas,), torch.inf, dtype=torch.double)
        self.best_accuracy = torch.full((num_replicas,), -1.0, dtype=torch.double)
        monitored = config.monitor == "val_roc_auc"
        self.best_roc_auc = torch.full(
            (num_replicas,), -1.0 if monitored else torch.nan, dtype=torch.double
        )
        self.epochs = torch.zeros(num_replicas, dtype=torch.long)
        self.nan = torch.zeros(num_replicas, dtype=torch.bool)
        self._losses = torch.full(
            (num_replicas, config.epochs), torch.nan, dtype=torch.double
        )

    def step(
        self,
        epoch: int,
        active: Tensor,
        loss: Tensor,
        accuracy: Tensor,
        roc_auc: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Takes in the validation figures of an epoch; the ROC-AUC where monitored.

        Returns:
            Two masks over `active`: replicas with a new best, replicas that stop.
        """
        loss, accuracy = loss.double().cpu(), accuracy.double().cpu()
        if roc_auc is not None:
            roc_auc = roc_auc.cpu()
        improved = self._improved(active, loss, accuracy, roc_auc)
        places = active[improved]
        self.best_epoch[places] = epoch
        self.best_loss[places] = loss[improved]
        self.best_accuracy[places] = accuracy[improved]
        if roc_auc is not None:
            self.best_roc_auc[places] = roc_auc[improved]
        self.epochs[active] = epoch + 1
        self._losses[active, epoch] = loss
        broken = loss.isnan()
        self.nan[active[broken]] = True
        return improved, broken | self._stops(epoch, active, loss)

    def _improved(
        self, active: Tensor, loss: Tensor, accuracy: Tensor, roc_auc: Tensor | None
    ) -> Tensor:
        lower = loss < self.best_loss[active]
        if self.config.monitor == "val_loss":
            return lower
        score, best = accuracy, self.best_accuracy[active]
        if self.config.monitor == "val_roc_auc":
            score, best = roc_auc, self.best_roc_auc[active]
        return ~loss.isnan() & ((score > best) | ((score == best) & lower))

    def _stops(self, epoch: int, active: Tensor, loss: Tensor) -> Tensor:
        window = self.config.patience
        if self.config.stopping == "patience":
            return epoch - self.best_epoch[active] >= window
        if self.config.stopping == "postel" and epoch > window:
            return loss > self._losses[active, epoch - window : epoch].mean(1)
        return torch.zeros(len(active), dtype=torch.bool)
