"""Turns the embedder's matrices into 4- and 5-bit blocks whose products with real activations stay near those of the originals.

Matrices are rounded layer by layer (`../rounding.py`). The bias absorbs the remaining error of the mean.
"""

import sys
from pathlib import Path

import torch

import model
from model import Weights

sys.path.append(str(Path(__file__).parents[1]))
from rounding import Codes, gptq  # noqa: E402

# Values, and the widest sums into the residual stream, suffer most from 4 bits.
FIVE_BITS = ("attention.self.value", ".output.dense")


def bits_of(name: str) -> int:
    is_attention = name.endswith("attention.output.dense")
    return 5 if name.endswith(FIVE_BITS) and not is_attention else 4


def all_matrices(weights: Weights, texts: list[list[int]]) -> tuple[Weights, dict[str, Codes]]:
    """Rounds layer by layer: each layer sees the outputs of the rounded ones before it."""
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
