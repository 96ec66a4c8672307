"""Turns MiniLM's weights into embedder.gguf: a smaller vocabulary, 4- and 5-bit matrices, in llama.cpp's form."""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFWriter
from tokenizers import Tokenizer

import calibration
import model
import quantise
import bert_gguf
from bert_gguf import POSITIONS
from rounding import TYPES, Codes, packed, plain

def add_tensors(writer: GGUFWriter, weights: model.Weights, codes: dict[str, Codes], kept: list[int]) -> None:
    def add_codes(name: str, found: Codes) -> None:
        writer.add_tensor(name, packed(found), raw_dtype=TYPES[found.n_bits])

    def add_floats(name: str, source: str, kind: type = np.float32) -> None:
        writer.add_tensor(name, weights[source].numpy().astype(kind))

    words = weights["embeddings.word_embeddings.weight"][torch.tensor(kept)]
    add_codes("token_embd.weight", plain(words, 4))
    positions = weights["embeddings.position_embeddings.weight"][:POSITIONS]
    writer.add_tensor("position_embd.weight", positions.numpy().astype(np.float16))
    add_floats("token_types.weight", "embeddings.token_type_embeddings.weight")
    for part in ("weight", "bias"):
        add_floats(f"token_embd_norm.{part}", f"embeddings.LayerNorm.{part}")
    for layer in range(model.LAYERS):
        stem, block = f"encoder.layer.{layer}.", f"blk.{layer}."
        for source, name in model.MATRICES.items():
            add_codes(f"{block}{name}.weight", codes[stem + source])
            add_floats(f"{block}{name}.bias", f"{stem}{source}.bias")
        for source, name in model.NORMS.items():
            for part in ("weight", "bias"):
                add_floats(f"{block}{name}.{part}", f"{stem}{source}.{part}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the datasets")
    parser.add_argument("--model", type=Path, required=True, help="folder with model.safetensors, tokenizer.json, vocab.txt")
    parser.add_argument("--vocabulary", type=Path, required=True, help="what vocabulary.py wrote")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.enable_truncation(POSITIONS)
    tokenizer.no_padding()
    texts = [encoding.ids for encoding in tokenizer.encode_batch(calibration.texts(arguments.data))]
    print(f"{len(texts)} texts of {sum(map(len, texts))} tokens")
    weights, codes = quantise.all_matrices(model.load(arguments.model), texts)
    kept = json.loads(arguments.vocabulary.read_text(encoding="utf-8"))
    tokens = (arguments.model / "vocab.txt").read_text(encoding="utf-8").splitlines()
    # The mean over all tokens.
    numbers = {"bert.pooling_type": 1}
    bert_gguf.write(
        arguments.output, "all-MiniLM-L6-v2", "apache-2.0", [tokens[idx] for idx in kept], numbers,
        lambda writer: add_tensors(writer, weights, codes, kept),
    )


if __name__ == "__main__":
    main()
