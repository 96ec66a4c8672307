"""Turns matrices into 4- and 5-bit blocks whose products with real activations stay near those of the originals.

The rounding is GPTQ's (Frantar and others, "GPTQ: Accurate Post-Training Quantization", 2023): columns are rounded one after
the other, and what each rounding does wrong is made up for by the columns that follow, as the activations' second moments
say. A block of 32 has one scale, chosen among candidates of both signs by the error that is left. The bias takes what remains
of the mean.
"""

from dataclasses import dataclass

import torch

import model
from model import Weights

BLOCK = 32
DAMPING = 0.01
# How far the largest value may be beyond the last step, and how far below.
SCALES = [0.7 + 0.4 * step / 23 for step in range(24)]
# Values and what comes back into the residual stream through the widest sum suffer most from 4 bits.
FIVE_BITS = ("attention.self.value", ".output.dense")


@dataclass
class Codes:
    """Whole numbers `[rows, columns]` and a scale for each block, `[rows, columns / 32]`."""

    values: torch.Tensor
    scales: torch.Tensor
    n_bits: int

    def restored(self) -> torch.Tensor:
        return self.values.float() * self.scales.repeat_interleave(BLOCK, dim=1)


def bits_of(name: str) -> int:
    is_attention = name.endswith("attention.output.dense")
    return 5 if name.endswith(FIVE_BITS) and not is_attention else 4


def bounds(n_bits: int) -> tuple[int, int]:
    return -(1 << (n_bits - 1)), (1 << (n_bits - 1)) - 1


def best_scale(blocks: torch.Tensor, importance: torch.Tensor, n_bits: int) -> torch.Tensor:
    """For each row of `[n, 32]` the scale, as half, that leaves the least weighted error."""
    low, high = bounds(n_bits)
    largest = blocks.abs().amax(1, keepdim=True).clamp(min=1e-8)
    least, chosen = None, None
    for sign in (-1, 1):
        for share in SCALES:
            scale = (sign * largest / -low / share).half().float()
            scale = torch.where(scale == 0, torch.full_like(scale, 6e-8), scale)
            values = torch.clamp(torch.round(blocks / scale), low, high)
            error = (importance * (values * scale - blocks) ** 2).sum(1, keepdim=True)
            if least is None:
                least, chosen = error, scale
            else:
                chosen = torch.where(error < least, scale, chosen)
                least = torch.minimum(error, least)
    return chosen


def plain(matrix: torch.Tensor, n_bits: int) -> Codes:
    """Each value to the nearest step."""
    blocks = matrix.reshape(-1, BLOCK)
    scales = best_scale(blocks, torch.ones(1, BLOCK), n_bits)
    values = torch.clamp(torch.round(blocks / scales), *bounds(n_bits))
    return Codes(values.reshape(matrix.shape).to(torch.int8), scales.reshape(matrix.shape[0], -1), n_bits)


def gptq(matrix: torch.Tensor, moments: torch.Tensor, n_bits: int) -> Codes:
    """`moments` is the sum of the inputs' outer products, `[columns, columns]`."""
    low, high = bounds(n_bits)
    left = matrix.double().clone()
    n_columns = left.shape[1]
    moments = moments.double()
    moments = moments + torch.eye(n_columns, dtype=torch.float64) * DAMPING * moments.diag().mean()
    inverse = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(moments)), upper=True)
    values = torch.zeros(left.shape, dtype=torch.int8)
    scales = torch.zeros(left.shape[0], n_columns // BLOCK)
    for start in range(0, n_columns, BLOCK):
        end = start + BLOCK
        importance = (1 / inverse.diag()[start:end] ** 2).float()[None]
        scale = best_scale(left[:, start:end].float(), importance, n_bits)[:, 0]
        scales[:, start // BLOCK] = scale
        errors = torch.zeros(left.shape[0], BLOCK, dtype=torch.float64)
        for column in range(start, end):
            rounded = torch.clamp(torch.round(left[:, column] / scale.double()), low, high)
            values[:, column] = rounded.to(torch.int8)
            error = (left[:, column] - rounded * scale.double()) / inverse[column, column]
            left[:, column:end] -= error[:, None] * inverse[column, column:end][None]
            errors[:, column - start] = error
        left[:, end:] -= errors @ inverse[start:end, end:]
    return Codes(values, scales, n_bits)


def all_matrices(weights: Weights, texts: list[list[int]]) -> tuple[Weights, dict[str, Codes]]:
    """Rounds layer by layer: each sees what the rounded ones before it give."""
    rounded = dict(weights)
    codes: dict[str, Codes] = {}
    groups = list(model.batches(texts))
    for layer in range(model.LAYERS):
        stem = f"encoder.layer.{layer}."
        moments: dict[str, torch.Tensor] = {}
        sums: dict[str, torch.Tensor] = {}
        n_tokens = 0

        def watch(name: str, inputs: torch.Tensor) -> None:
            # Queries, keys and values have the same inputs.
            if name.startswith(stem) and not name.endswith(("key", "value")):
                flat = inputs.reshape(-1, inputs.shape[-1])[is_token]
                moments[name] = moments.get(name, 0) + flat.T @ flat
                sums[name] = sums.get(name, 0) + flat.sum(0)

        with torch.no_grad():
            for _, ids, mask in groups:
                is_token = mask.reshape(-1).bool()
                n_tokens += int(is_token.sum())
                model.hidden(rounded, ids, mask, watch)
        for matrix in model.MATRICES:
            name = stem + matrix
            source = stem + "attention.self.query" if matrix.startswith("attention.self") else name
            found = gptq(weights[f"{name}.weight"], moments[source], bits_of(name))
            codes[name] = found
            lost = weights[f"{name}.weight"] - found.restored()
            rounded[f"{name}.weight"] = found.restored()
            rounded[f"{name}.bias"] = weights[f"{name}.bias"] + lost @ (sums[source] / n_tokens)
        print(f"layer {layer} is rounded", flush=True)
    return rounded, codes
