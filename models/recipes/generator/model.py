"""Turns token ids into next-token scores: a small Llama in plain PyTorch, with its initial weights."""

from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass
class Configuration:
    vocabulary: int = 8192
    width: int = 384
    layers: int = 4
    heads: int = 6
    key_value_heads: int = 6
    feed_forward: int = 768
    context: int = 1024
    rope_theta: float = 10_000.0
    norm_epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        return self.width // self.heads


class Norm(nn.Module):
    def __init__(self, width: int, epsilon: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        return functional.rms_norm(x, (x.shape[-1],), self.weight, self.epsilon)


def rope_table(configuration: Configuration) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines, [context, head_width / 2]."""
    half = configuration.head_width // 2
    frequencies = configuration.rope_theta ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.arange(configuration.context, dtype=torch.float64)[:, None] * frequencies
    return angles.cos().float(), angles.sin().float()


def rotate(x, cosine, sine):
    """Rotates the neighbours x[2i], x[2i+1] together: llama.cpp's "NORM" form, so weights export unpermuted."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1).flatten(-2)


class Block(nn.Module):
    """The names of the parts are the names of the tensors in the GGUF file."""

    def __init__(self, configuration: Configuration):
        super().__init__()
        self.configuration = configuration
        width, hidden = configuration.width, configuration.feed_forward
        key_width = configuration.key_value_heads * configuration.head_width
        self.attn_norm = Norm(width, configuration.norm_epsilon)
        self.attn_q = nn.Linear(width, width, bias=False)
        self.attn_k = nn.Linear(width, key_width, bias=False)
        self.attn_v = nn.Linear(width, key_width, bias=False)
        self.attn_output = nn.Linear(width, width, bias=False)
        self.ffn_norm = Norm(width, configuration.norm_epsilon)
        self.ffn_gate = nn.Linear(width, hidden, bias=False)
        self.ffn_up = nn.Linear(width, hidden, bias=False)
        self.ffn_down = nn.Linear(hidden, width, bias=False)

    def attend(self, x, cosine, sine, mask, cache):
        batch, length, width = x.shape
        configuration = self.configuration

        def split(y):
            return y.view(batch, length, -1, configuration.head_width).transpose(1, 2)

        query = rotate(split(self.attn_q(x)), cosine, sine)
        key = rotate(split(self.attn_k(x)), cosine, sine)
        value = split(self.attn_v(x))
        if cache is not None:
            if cache:
                key, value = torch.cat((cache[0], key), dim=2), torch.cat((cache[1], value), dim=2)
            cache[:] = [key, value]
        group = configuration.heads // configuration.key_value_heads
        key, value = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)
        causal = mask is None and length > 1
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)
        return self.attn_output(mixed.transpose(1, 2).reshape(batch, length, width))

    def forward(self, x, cosine, sine, mask, cache=None):
        x = x + self.attend(self.attn_norm(x), cosine, sine, mask, cache)
        y = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(y)) * self.ffn_up(y))


class Generator(nn.Module):
    def __init__(self, configuration: Configuration):
        super().__init__()
        self.configuration = configuration
        self.token_embd = nn.Embedding(configuration.vocabulary, configuration.width)
        self.blk = nn.ModuleList(Block(configuration) for _ in range(configuration.layers))
        self.output_norm = Norm(configuration.width, configuration.norm_epsilon)
        cosine, sine = rope_table(configuration)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)

    def hidden(self, tokens, positions=None, mask=None, caches=None):
        """The states after the last norm. Positions count 0, 1, 2, .. and the mask is causal unless given."""
        if positions is None:
            cosine, sine = self.cosine[: tokens.shape[1]], self.sine[: tokens.shape[1]]
        else:
            cosine, sine = self.cosine[positions][:, None], self.sine[positions][:, None]
        x = self.token_embd(tokens)
        for index, block in enumerate(self.blk):
            x = block(x, cosine, sine, mask, None if caches is None else caches[index])
        return self.output_norm(x)

    def scores(self, states):
        """The embedding is also the output matrix."""
        return functional.linear(states, self.token_embd.weight)

    def forward(self, tokens):
        return self.scores(self.hidden(tokens))


def initialise(model: Generator, seed: int) -> None:
    """Small random weights, and over them three heads that copy.

    A model of this size needs many millions of tokens before it finds out how to copy from its
    context, and copying is what it is for. So the circuit is laid out by hand and training only
    refines it: in the first layer one head stores the token before each token and one the token
    before that; in the third layer two heads look for an earlier place with the same token (the
    second: the same two tokens) before it, and write what stood there into the output.
    """
    torch.manual_seed(seed)
    for name, weight in model.named_parameters():
        if weight.dim() == 2:
            # A part that writes to the residual stream starts silent.
            silent = name.endswith(("attn_output.weight", "ffn_down.weight"))
            nn.init.normal_(weight, std=0.0 if silent else 0.02)
    with torch.no_grad():
        lay_out_copying(model)


def lay_out_copying(model: Generator) -> None:
    configuration = model.configuration
    head, group = configuration.head_width, configuration.heads // configuration.key_value_heads
    # Channel 0 is the same for every token, so that a head can look at a fixed distance.
    # The last two slices are empty in the embedding and hold the two tokens before.
    # The rest are random signs: every token has the same length, so the best match is the same token.
    before, before_that = configuration.width - 2 * head, configuration.width - head
    embedding = model.token_embd.weight
    model.output_norm.weight.fill_(0.4)
    embedding.copy_(0.1 * embedding.sign())
    embedding[:, 0] = 0.5
    embedding[:, before:] = 0.0
    features, copied = torch.eye(configuration.width)[1 : 1 + 2 * head].split((head, head))
    copied = torch.cat((features, copied))

    first = model.blk[0]
    fast = 8  # rotation pairs that turn quickly enough to tell neighbours apart
    angles = configuration.rope_theta ** (-torch.arange(fast) / (head // 2))
    for shift, (key_head, slot) in enumerate(((0, before), (1, before_that)), start=1):
        query, key = key_head * group * head, key_head * head
        first.attn_q.weight[query : query + head] = 0.0
        first.attn_k.weight[key : key + head] = 0.0
        first.attn_q.weight[query : query + 2 * fast : 2, 0] = 1.3
        first.attn_k.weight[key : key + 2 * fast : 2, 0] = 1.3 * torch.cos(shift * angles)
        first.attn_k.weight[key + 1 : key + 1 + 2 * fast : 2, 0] = 1.3 * torch.sin(shift * angles)
        first.attn_v.weight[key : key + head] = features
        first.attn_output.weight[:, query : query + head] = 0.0
        first.attn_output.weight[slot : slot + head, query : query + head] = torch.eye(head) / 4

    third = model.blk[2]
    slow = 32  # channels that turn so slowly that a match is seen at any distance
    for key_head in (0, 1):
        query, key = key_head * group * head, key_head * head
        third.attn_q.weight[query : query + head] = 0.0
        third.attn_k.weight[key : key + head] = 0.0
        query_rows = third.attn_q.weight[query + head - slow : query + head]
        key_rows = third.attn_k.weight[key + head - slow : key + head]
        same = slow if key_head == 0 else slow // 2
        query_rows[:same] = 2.4 * features[:same]
        key_rows[:same, before : before + same] = 2.4 * torch.eye(same)
        query_rows[same:, before + same : before + slow] = 2.4 * torch.eye(slow - same)
        key_rows[same:, before_that + same : before_that + slow] = 2.4 * torch.eye(slow - same)
        rows = copied[key_head * head : (key_head + 1) * head]
        third.attn_v.weight[key : key + head] = rows
        third.attn_output.weight[:, query : query + head] = 2.5 * rows.T


def save(model: Generator, path) -> None:
    temporary = path.with_suffix(".part")
    torch.save({"configuration": asdict(model.configuration), "weights": model.state_dict()}, temporary)
    temporary.replace(path)


def load(path) -> Generator:
    stored = torch.load(path, weights_only=True)
    model = Generator(Configuration(**stored["configuration"]))
    model.load_state_dict(stored["weights"])
    return model
