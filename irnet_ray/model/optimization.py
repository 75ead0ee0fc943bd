"""Optimizers and learning rates, as a recipe names them."""

from __future__ import annotations

import torch

from irnet_ray.model.network import Network
from irnet_ray.model.recipe import Recipe


def make_optimizer(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    """Adam or AdamW in the fused form, which is the fastest on CPUs and on GPUs; only weight matrices decay."""
    learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in learnt if parameter.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [parameter for parameter in learnt if parameter.ndim == 1], "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=recipe.learning_rate, fused=True)


def make_scheduler(
    optimizer: torch.optim.Optimizer, recipe: Recipe, steps_an_epoch: int
) -> torch.optim.lr_scheduler.OneCycleLR | None:
    """The one-cycle schedule over all epochs; ``None`` for a constant learning rate."""
    if recipe.schedule == "constant":
        return None
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=recipe.learning_rate, total_steps=recipe.epochs * steps_an_epoch
    )
