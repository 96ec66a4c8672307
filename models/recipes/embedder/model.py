"""Turns token ids into MiniLM's embeddings in single precision, and reports the inputs of each matrix."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

sys.path.append(str(Path(__file__).parents[1]))
from bert_gguf import HEADS, LAYERS, NORM_EPSILON, WIDTH  # noqa: E402

# A matrix's name within a layer in the published weights, and in GGUF.
MATRICES = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
}
NORMS = {"attention.output.LayerNorm": "attn_output_norm", "output.LayerNorm": "layer_output_norm"}

Weights = dict[str, torch.Tensor]


def load(folder: Path) -> Weights:
    stored = load_file(folder / "model.safetensors")
    return {name: values.float() for name, values in stored.items() if values.is_floating_point()}


def hidden(weights: Weights, ids: torch.Tensor, mask: torch.Tensor, watch=None) -> torch.Tensor:
    """The last layer's `[texts, tokens, WIDTH]`; `watch(name, inputs)` sees each matrix's inputs."""

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        if watch:
            watch(name, x)
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.layer_norm(x, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], NORM_EPSILON)

    n_texts, n_tokens = ids.shape
    x = F.embedding(ids, weights["embeddings.word_embeddings.weight"])
    x = x + weights["embeddings.position_embeddings.weight"][:n_tokens]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    seen = mask[:, None, None, :].bool()
    for layer in range(LAYERS):
        stem = f"encoder.layer.{layer}."

        def heads(name: str) -> torch.Tensor:
            return linear(x, f"{stem}attention.self.{name}").view(n_texts, n_tokens, HEADS, -1).transpose(1, 2)

        attended = F.scaled_dot_product_attention(heads("query"), heads("key"), heads("value"), attn_mask=seen)
        attended = attended.transpose(1, 2).reshape(n_texts, n_tokens, WIDTH)
        x = norm(x + linear(attended, f"{stem}attention.output.dense"), f"{stem}attention.output.LayerNorm")
        inner = F.gelu(linear(x, f"{stem}intermediate.dense"))
        x = norm(x + linear(inner, f"{stem}output.dense"), f"{stem}output.LayerNorm")
    return x


def embed(weights: Weights, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean over each text's tokens, of unit length."""
    counted = mask[:, :, None].float()
    return F.normalize((hidden(weights, ids, mask) * counted).sum(1) / counted.sum(1), dim=1)


def batches(texts: list[list[int]], n_tokens: int = 8192):
    """`(indices, ids, mask)` of texts of similar length, at most about `n_tokens` tokens with padding."""
    order = sorted(range(len(texts)), key=lambda idx: len(texts[idx]))
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and len(texts[order[end]]) * (end + 1 - start) <= n_tokens:
            end += 1
        chosen = order[start:end]
        longest = len(texts[chosen[-1]])
        ids = torch.zeros(len(chosen), longest, dtype=torch.long)
        mask = torch.zeros(len(chosen), longest, dtype=torch.long)
        for row, idx in enumerate(chosen):
            ids[row, : len(texts[idx])] = torch.tensor(texts[idx])
            mask[row, : len(texts[idx])] = 1
        yield chosen, ids, mask
        start = end
