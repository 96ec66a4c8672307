"""Turns gradients into new weights: the optimiser, its schedule over a budget of minutes, and the training log."""

import json
import time
from pathlib import Path

import torch

from model import Generator, save

# Larger rates destroy the copying heads that initialise() lays out.
MATRIX_RATE, VECTOR_RATE = 0.012, 0.001
WARM_UP_STEPS = 20
DECAY_SHARE = 0.5  # of the time; the rate falls to zero over it
MOMENTUM = 0.95
CHECKPOINT_SECONDS = 180


def orthogonal(matrix: torch.Tensor, rounds: int = 4) -> torch.Tensor:
    """The nearest matrix whose singular values are all about 1, by Newton-Schulz rounds."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


class Muon:
    """Momentum whose update is made orthogonal (Muon); it needs fewer tokens than Adam for matrices."""

    def __init__(self, matrices: list[torch.nn.Parameter]):
        self.matrices = matrices
        self.momenta = [torch.zeros_like(matrix) for matrix in matrices]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for matrix, momentum in zip(self.matrices, self.momenta):
            if matrix.grad is None:
                continue
            momentum.lerp_(matrix.grad, 1 - MOMENTUM)
            update = orthogonal(matrix.grad.lerp(momentum, MOMENTUM))
            scale = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
            matrix.add_(update, alpha=-rate * scale)


class Trainer:
    """Steps until the minutes are used up: `while trainer.running(): trainer.step(loss, tokens)`."""

    def __init__(self, model: Generator, minutes: float, log: Path, checkpoint: Path | None = None, peak: float = 1.0):
        self.model, self.minutes, self.checkpoint, self.peak = model, minutes, checkpoint, peak
        trained = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
        # Muon is for the matrices between layers; embeddings, norms and low-rank parts go to Adam.
        matrices = [weight for name, weight in trained if name.startswith("blk") and name.endswith(".weight") and weight.dim() == 2]
        taken = {id(matrix) for matrix in matrices}
        vectors = [weight for _, weight in trained if id(weight) not in taken]
        self.muon = Muon(matrices)
        self.adam = torch.optim.Adam(vectors, betas=(0.9, 0.98), fused=True)
        self.steps = self.tokens = 0
        self.average = None
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = open(log, "w", encoding="utf-8")
        self.start = self.saved = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.start

    def running(self) -> bool:
        return self.seconds < self.minutes * 60

    def rate(self) -> float:
        left = max(0.0, 1 - self.seconds / (self.minutes * 60))
        return self.peak * min(1.0, (self.steps + 1) / WARM_UP_STEPS, left / DECAY_SHARE)

    def step(self, loss: torch.Tensor, tokens: int) -> None:
        loss.backward()
        rate = self.rate()
        self.adam.param_groups[0]["lr"] = VECTOR_RATE * rate
        self.adam.step()
        self.muon.step(MATRIX_RATE * rate)
        self.model.zero_grad()
        self.steps += 1
        self.tokens += tokens
        value = loss.item()
        self.average = value if self.average is None else 0.9 * self.average + 0.1 * value
        if self.steps % 10 == 0:
            self.write(step=self.steps, loss=round(self.average, 4), rate=round(rate, 3))
        if self.checkpoint and time.monotonic() - self.saved > CHECKPOINT_SECONDS:
            self.save()

    def write(self, **fields) -> None:
        line = json.dumps({**fields, "tokens": self.tokens, "minutes": round(self.seconds / 60, 1)})
        print(line, file=self.log, flush=True)

    def save(self) -> None:
        save(self.model, self.checkpoint)
        self.saved = time.monotonic()
