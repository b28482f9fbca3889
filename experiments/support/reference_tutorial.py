"""The tutorial's own loop, as it stands: what speed and recipe are measured against.

No claim of its own; `experiments.speed` and `experiments.recipe` import it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class TutorialAutoEncoder(nn.Module):
    """784-128-64-12-3 and back."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(784, 128), nn.Tanh(),
            nn.Linear(128, 64), nn.Tanh(),
            nn.Linear(64, 12), nn.Tanh(),
            nn.Linear(12, 3),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(3, 12), nn.Tanh(),
            nn.Linear(12, 64), nn.Tanh(),
            nn.Linear(64, 128), nn.Tanh(),
            nn.Linear(128, 784), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the reconstructions (n, 784)."""
        decoded: torch.Tensor = self.decoder(self.encoder(x))
        return decoded


def train_tutorial(
    data_home: Path,
    seed: int = 0,
    epochs: int = 10,
    after_epoch: Callable[[], None] = lambda: None,
) -> TutorialAutoEncoder:
    """Train on torchvision's MNIST with a DataLoader, ToTensor and Adam, batch 64."""
    torch.manual_seed(seed)
    data = datasets.MNIST(str(data_home), train=True, transform=transforms.ToTensor())
    loader = DataLoader(data, batch_size=64, shuffle=True)
    model = TutorialAutoEncoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    loss_function = nn.MSELoss()
    for _ in range(epochs):
        for images, _ in loader:
            x = images.view(-1, 784)
            loss = loss_function(model(x), x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        after_epoch()
    return model


@torch.no_grad()
def mean_squared_error(model: nn.Module, images: torch.Tensor) -> float:
    """Return the reconstruction error over all images (n, 784) in [0, 1]."""
    total = sum(
        nn.functional.mse_loss(model(x), x, reduction="sum").item() for x in images.split(4096)
    )
    return total / images.numel()
