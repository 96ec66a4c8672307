"""Turns the exported files back into a model: reads both GGUF files, dequantises them and decodes greedily."""

from pathlib import Path

import gguf
import torch

from data import MESSAGE_END
from model import Configuration, Generator


def field(reader: gguf.GGUFReader, key: str):
    return reader.fields[key].contents()


def tensors(reader: gguf.GGUFReader) -> dict[str, torch.Tensor]:
    return {
        tensor.name: torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).copy()).float()
        for tensor in reader.tensors
    }


def read_generator(path: Path) -> Generator:
    reader = gguf.GGUFReader(path)
    model = Generator(
        Configuration(
            vocabulary=field(reader, "llama.vocab_size"),
            width=field(reader, "llama.embedding_length"),
            layers=field(reader, "llama.block_count"),
            heads=field(reader, "llama.attention.head_count"),
            key_value_heads=field(reader, "llama.attention.head_count_kv"),
            feed_forward=field(reader, "llama.feed_forward_length"),
            context=field(reader, "llama.context_length"),
            rope_theta=field(reader, "llama.rope.freq_base"),
            norm_epsilon=field(reader, "llama.attention.layer_norm_rms_epsilon"),
        )
    )
    model.load_state_dict(tensors(reader))
    return model.eval()


@torch.no_grad()
def apply_adapter(model: Generator, path: Path) -> None:
    """Adds alpha / rank * B A to each weight that the adapter names."""
    reader = gguf.GGUFReader(path)
    alpha, weights, parts = field(reader, "adapter.lora.alpha"), model.state_dict(), tensors(reader)
    for name in (name.removesuffix(".lora_a") for name in parts if name.endswith(".lora_a")):
        down, up = parts[f"{name}.lora_a"], parts[f"{name}.lora_b"]
        weights[name].add_(alpha / down.shape[0] * up @ down)


@torch.no_grad()
def decode(model: Generator, tokens: list[int], limit: int, stop: bool = True) -> tuple[list[int], torch.Tensor]:
    """(the most likely next tokens one after another, the scores of the first step)."""
    caches = [[] for _ in model.blk]
    states = model.hidden(torch.tensor([tokens]), caches=caches)
    first = scores = model.scores(states[0, -1])
    produced = []
    while True:
        token = int(scores.argmax())
        produced.append(token)
        position = len(tokens) + len(produced) - 1
        if len(produced) == limit or (stop and token == MESSAGE_END) or position >= model.configuration.context:
            return produced, first
        states = model.hidden(torch.tensor([[token]]), positions=torch.tensor([[position]]), caches=caches)
        scores = model.scores(states[0, -1])
