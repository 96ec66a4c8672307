"""Writes the reader as `reader.gguf`: the vocabulary of the embedder that ships, matrices of 4 and 5 bits, two heads in floats.

Matrices are rounded layer by layer (`../rounding.py`), each on the outputs of the rounded ones before it, for real questions over real
windows. Values and the feed-forward's second matrix take 5 bits, as in the embedder: sums into the residual stream suffer most.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFWriter
from torch import nn

from encode import Encoder
from model import MATRICES, NORMS, Reader, Vocabulary, restored

sys.path.append(str(Path(__file__).parents[1]))
import bert_gguf  # noqa: E402
from rounding import TYPES, Codes, gptq, packed, plain  # noqa: E402

# The version of heads and frame, which `crate/model/src/read.rs` compares.
VERSION = 1
CALIBRATION_ROWS, TOKENS = 1_500, 192
FIVE_BITS = ("value", "down")


def rounded(reader: Reader, batches: list[dict[str, torch.Tensor]]) -> dict[str, Codes]:
    """Rounds the reader's matrices in place, and returns their codes by llama.cpp's names."""
    codes: dict[str, Codes] = {}
    for number, layer in enumerate(reader.layers):
        moments = {name: 0 for name in MATRICES}
        sums = {name: 0 for name in MATRICES}
        is_token = torch.zeros(0, dtype=torch.bool)

        def watcher(name: str):
            def watch(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
                flat = inputs[0].reshape(-1, inputs[0].shape[-1])[is_token]
                moments[name] = moments[name] + flat.T @ flat
                sums[name] = sums[name] + flat.sum(0)

            return watch

        handles = [getattr(layer, name).register_forward_pre_hook(watcher(name)) for name in MATRICES]
        n_tokens = 0
        with torch.no_grad():
            for batch in batches:
                is_token = batch["mask"].reshape(-1).bool()
                n_tokens += int(is_token.sum())
                reader(batch["ids"], batch["types"], batch["mask"])
        for handle in handles:
            handle.remove()
        with torch.no_grad():
            for name, stored in MATRICES.items():
                linear = getattr(layer, name)
                found = gptq(linear.weight, moments[name], 5 if name in FIVE_BITS else 4)
                codes[f"blk.{number}.{stored}"] = found
                lost = linear.weight - found.restored()
                linear.bias += lost @ (sums[name] / n_tokens)
                linear.weight.copy_(found.restored())
        print(f"layer {number} is rounded", flush=True)
    return codes


def add_tensors(writer: GGUFWriter, reader: Reader, codes: dict[str, Codes]) -> None:
    def floats(name: str, values: torch.Tensor, kind: type = np.float32) -> None:
        writer.add_tensor(name, values.detach().numpy().astype(kind))

    words = plain(reader.words.weight.detach(), 4)
    writer.add_tensor("token_embd.weight", packed(words), raw_dtype=TYPES[4])
    floats("position_embd.weight", reader.positions.weight, np.float16)
    floats("token_types.weight", reader.types.weight)
    floats("token_embd_norm.weight", reader.norm.weight)
    floats("token_embd_norm.bias", reader.norm.bias)
    for number, layer in enumerate(reader.layers):
        for name, stored in MATRICES.items():
            found = codes[f"blk.{number}.{stored}"]
            writer.add_tensor(f"blk.{number}.{stored}.weight", packed(found), raw_dtype=TYPES[found.n_bits])
            floats(f"blk.{number}.{stored}.bias", getattr(layer, name).bias)
        for name, stored in NORMS.items():
            floats(f"blk.{number}.{stored}.weight", getattr(layer, name).weight)
            floats(f"blk.{number}.{stored}.bias", getattr(layer, name).bias)
    for name, head in (("reader.tokens", reader.token_head), ("reader.window", reader.window_head)):
        floats(f"{name}.weight", head.weight)
        floats(f"{name}.bias", head.bias)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", type=Path, required=True, help="reader.pt, as train.py wrote it")
    parser.add_argument("--embedder", type=Path, required=True, help="embedder.gguf, whose vocabulary is used")
    parser.add_argument("--examples", type=Path, required=True, help="what examples.py wrote; its last rows calibrate")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounded", type=Path, help="where the rounded weights are kept too, for evaluate.py")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    vocabulary = Vocabulary.of_gguf(arguments.embedder)
    encoder = Encoder(vocabulary)
    reader = restored(arguments.reader, arguments.embedder, vocabulary)
    # Embeddings come first, so that later layers see the rounded ones.
    with torch.no_grad():
        reader.words.weight.copy_(plain(reader.words.weight, 4).restored())
    lines = arguments.examples.read_text(encoding="utf-8").splitlines()[-CALIBRATION_ROWS:]
    rows = sorted((encoder.encode(json.loads(line), TOKENS) for line in lines), key=lambda row: len(row.ids))
    batches = [encoder.tensors(rows[start : start + 25]) for start in range(0, len(rows), 25)]
    codes = rounded(reader, batches)
    if arguments.rounded:
        torch.save(reader.state_dict(), arguments.rounded)
    # No pooling: one vector for each token.
    numbers = {"bert.pooling_type": 0, "reader.version": VERSION}
    bert_gguf.write(
        arguments.output, "anchorite reader, from all-MiniLM-L6-v2", "cc-by-sa-4.0", vocabulary.tokens, numbers,
        lambda writer: add_tensors(writer, reader, codes),
    )


if __name__ == "__main__":
    main()
