"""Turns a matrix into 4- and 5-bit blocks, and the blocks into bytes as ggml lays them out.

The rounding is GPTQ's (Frantar and others, "GPTQ: Accurate Post-Training Quantization", 2023): columns are rounded one after
another, and the following columns make up for the error of each, according to the activations' second moments. A block of
32 has one scale, the candidate of either sign that leaves the smallest error.
"""

from dataclasses import dataclass

import numpy as np
import torch
from gguf import GGMLQuantizationType

BLOCK = 32
DAMPING = 0.01
# Candidates for the block's largest value, as a share of the last step.
SCALES = [0.7 + 0.4 * step / 23 for step in range(24)]
TYPES = {4: GGMLQuantizationType.Q4_0, 5: GGMLQuantizationType.Q5_0}


@dataclass
class Codes:
    """Whole numbers `[rows, columns]` and a scale for each block, `[rows, columns / 32]`."""

    values: torch.Tensor
    scales: torch.Tensor
    n_bits: int

    def restored(self) -> torch.Tensor:
        return self.values.float() * self.scales.repeat_interleave(BLOCK, dim=1)


def bounds(n_bits: int) -> tuple[int, int]:
    return -(1 << (n_bits - 1)), (1 << (n_bits - 1)) - 1


def best_scale(blocks: torch.Tensor, importance: torch.Tensor, n_bits: int) -> torch.Tensor:
    """For each row of `[n, 32]`, the scale, rounded to half precision, that leaves the smallest weighted error."""
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
    """Rounds each value to the nearest step."""
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


def packed(codes: Codes) -> np.ndarray:
    """The blocks as ggml lays them out: the scale, for 5 bits the upper bits, then two values per byte, 16 apart."""
    n_rows = codes.values.shape[0]
    values = codes.values.numpy().astype(np.int16).reshape(n_rows, -1, BLOCK)
    values = (values - bounds(codes.n_bits)[0]).astype(np.uint8)
    scales = codes.scales.numpy().astype("<f2")[..., None].view(np.uint8)
    low = values & 15
    parts = [scales, low[..., :16] | (low[..., 16:] << 4)]
    if codes.n_bits == 5:
        upper = ((values >> 4).astype(np.uint32) << np.arange(BLOCK, dtype=np.uint32)).sum(-1, dtype=np.uint32)
        parts.insert(1, upper.astype("<u4")[..., None].view(np.uint8))
    return np.concatenate(parts, axis=-1).reshape(n_rows, -1)
