"""Turns a GGUF file of the llama family into frozen matrices, each with a low-rank change, and into its tokenizer."""

from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from gguf import GGUFReader, dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import nn
from torch.nn import functional as F

TARGETS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


@dataclass
class Configuration:
    layers: int
    width: int
    heads: int
    key_value_heads: int
    context: int
    rope_theta: float
    epsilon: float

    @property
    def head_width(self) -> int:
        return self.width // self.heads


class Adapted(nn.Module):
    """`W x + alpha / rank * B A x`, with `W`, `[N, C]`, dequantised from the file. `B` starts at zero."""

    def __init__(self, weight: torch.Tensor, rank: int, alpha: float):
        super().__init__()
        self.register_buffer("weight", weight, persistent=False)
        self.scale = alpha / rank if rank else 0.0
        if rank:
            self.a = nn.Parameter(torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5)
            self.b = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.linear(x, self.weight)
        return y + self.scale * F.linear(F.linear(x, self.a), self.b) if self.scale else y


class Layer(nn.Module):
    def __init__(self, tensors: dict[str, torch.Tensor], index: int, configuration: Configuration, rank: int, alpha: float):
        super().__init__()
        self.configuration = configuration
        for name in TARGETS:
            setattr(self, name, Adapted(tensors[f"blk.{index}.{name}.weight"], rank, alpha))
        for name in ("attn_norm", "ffn_norm"):
            self.register_buffer(name, tensors[f"blk.{index}.{name}.weight"], persistent=False)

    def forward(self, x, cosine, sine, mask, cache):
        x = x + self.attend(F.rms_norm(x, x.shape[-1:], self.attn_norm, self.configuration.epsilon), cosine, sine, mask, cache)
        y = F.rms_norm(x, x.shape[-1:], self.ffn_norm, self.configuration.epsilon)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y))

    def attend(self, x, cosine, sine, mask, cache):
        n_rows, n_tokens, _ = x.shape
        heads = lambda y: y.view(n_rows, n_tokens, -1, self.configuration.head_width).transpose(1, 2)
        q, k, v = heads(self.attn_q(x)), heads(self.attn_k(x)), heads(self.attn_v(x))
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        if cache is not None:
            if cache:
                k, v = torch.cat((cache[0], k), dim=2), torch.cat((cache[1], v), dim=2)
            cache[:] = [k, v]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None and n_tokens > 1, enable_gqa=True)
        return self.attn_output(mixed.transpose(1, 2).reshape(n_rows, n_tokens, -1))


def rotate(x, cosine, sine):
    """Rotates neighbours together, as llama.cpp's permuted files expect, so the adapter trained here needs no permutation."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1).flatten(-2)


class Llama(nn.Module):
    def __init__(self, path: Path, rank: int, alpha: float, dtype: torch.dtype = torch.float32):
        """`dtype` is the frozen matrices' type: bfloat16 to multiply in it."""
        super().__init__()
        reader = GGUFReader(path)
        value = lambda key: reader.fields[f"llama.{key}"].contents()
        self.configuration = Configuration(
            layers=value("block_count"), width=value("embedding_length"), heads=value("attention.head_count"),
            key_value_heads=value("attention.head_count_kv"), context=value("context_length"),
            rope_theta=value("rope.freq_base"), epsilon=value("attention.layer_norm_rms_epsilon"),
        )
        tensors = {
            tensor.name: torch.from_numpy(numpy.array(dequantize(tensor.data, tensor.tensor_type), dtype=numpy.float32))
            for tensor in reader.tensors
        }
        tensors = {name: tensor.to(dtype) if tensor.ndim > 1 else tensor for name, tensor in tensors.items()}
        self.register_buffer("token_embd", tensors["token_embd.weight"], persistent=False)
        self.register_buffer("output", tensors.get("output.weight", tensors["token_embd.weight"]), persistent=False)
        self.register_buffer("output_norm", tensors["output_norm.weight"], persistent=False)
        self.layers = nn.ModuleList(
            Layer(tensors, index, self.configuration, rank, alpha) for index in range(self.configuration.layers)
        )
        half = self.configuration.head_width // 2
        frequencies = self.configuration.rope_theta ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.arange(self.configuration.context, dtype=torch.float64)[:, None] * frequencies
        self.register_buffer("cosine", angles.cos().float(), persistent=False)
        self.register_buffer("sine", angles.sin().float(), persistent=False)

    def hidden(self, ids, first=0, mask=None, caches=None):
        """The states after the last norm, `[rows, T, C]`; `first` is the position of the first token."""
        cosine, sine = (table[first : first + ids.shape[1]] for table in (self.cosine, self.sine))
        # The residual stream is summed in single precision, whatever the matrices' type.
        x = F.embedding(ids, self.token_embd).float()
        for index, layer in enumerate(self.layers):
            x = layer(x, cosine, sine, mask, None if caches is None else caches[index])
        return F.rms_norm(x, x.shape[-1:], self.output_norm, self.configuration.epsilon)

    def scores(self, states):
        return F.linear(states, self.output)

    @torch.no_grad()
    def write(self, ids: list[int], end: int, max_tokens: int) -> list[int]:
        """The likeliest continuation, without the token that ends it."""
        caches = [[] for _ in self.layers]
        written: list[int] = []
        new, first = ids, 0
        while len(written) < max_tokens:
            states = self.hidden(torch.tensor([new]), first, caches=caches)
            first += len(new)
            token = int(self.scores(states[0, -1]).argmax())
            if token == end:
                break
            written.append(token)
            new = [token]
        return written

    def begin_with(self, path: Path) -> None:
        """Loads the pairs of an adapter that export.py wrote."""
        found = {tensor.name: torch.from_numpy(numpy.array(tensor.data, dtype=numpy.float32)) for tensor in GGUFReader(path).tensors}
        for name, (a, b) in self.pairs().items():
            a.copy_(found[f"{name}.lora_a"])
            b.copy_(found[f"{name}.lora_b"])

    def pairs(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """`A`, `[R, C]`, and `B`, `[N, R]`, under the name of the matrix that they change."""
        return {
            f"blk.{index}.{name}.weight": (part.a.detach(), part.b.detach())
            for index, layer in enumerate(self.layers)
            for name in TARGETS
            if (part := getattr(layer, name)).scale
        }


def tokenizer(path: Path) -> Tokenizer:
    """The file's byte-level BPE. SmolLM2 splits digits one by one, which `tokenizer.ggml.pre` calls `smollm`."""
    fields = GGUFReader(path).fields
    kind = fields["tokenizer.ggml.pre"].contents()
    if kind != "smollm":
        raise ValueError(f"{path}: expected the pre-tokenizer `smollm`, found `{kind}`")
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    found = Tokenizer(models.BPE(vocab={token: idx for idx, token in enumerate(tokens)}, merges=merges))
    found.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    found.decoder = decoders.ByteLevel()
    found.add_special_tokens([AddedToken(token, special=True) for token in tokens if token.startswith("<|")])
    return found
