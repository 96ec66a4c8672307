"""Turns MiniLM's weights into embedder.gguf: a smaller vocabulary, 4- and 5-bit matrices, in llama.cpp's form."""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFWriter, LlamaFileType, TokenType
from tokenizers import Tokenizer

import calibration
import model
import quantise
from rounding import TYPES, Codes, packed, plain
from vocabulary import SPECIAL_TOKENS

# Texts are read up to so many tokens; positions beyond them are left out.
POSITIONS = 256


def spelling(token: str) -> str:
    """WordPiece as llama.cpp spells it: a mark before the first piece of a word, nothing before the others."""
    if token.startswith("##"):
        return token[2:]
    return token if token.startswith("[") and token.endswith("]") else "\u2581" + token


def add_metadata(writer: GGUFWriter, tokens: list[str]) -> None:
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_license("apache-2.0")
    writer.add_file_type(LlamaFileType.MOSTLY_Q4_0)
    writer.add_block_count(model.LAYERS)
    writer.add_context_length(POSITIONS)
    writer.add_embedding_length(model.WIDTH)
    writer.add_feed_forward_length(model.HIDDEN)
    writer.add_head_count(model.HEADS)
    writer.add_layer_norm_eps(model.NORM_EPSILON)
    writer.add_causal_attention(False)
    # The mean over all tokens.
    writer.add_uint32("bert.pooling_type", 1)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")
    writer.add_token_list([spelling(token) for token in tokens])
    writer.add_token_types([TokenType.CONTROL if token in SPECIAL_TOKENS else TokenType.NORMAL for token in tokens])
    writer.add_token_type_count(2)
    for key, token in zip(("padding", "unknown", "cls", "seperator", "mask"), SPECIAL_TOKENS):
        writer.add_uint32(f"tokenizer.ggml.{key}_token_id", tokens.index(token))


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
    writer = GGUFWriter(arguments.output, "bert")
    add_metadata(writer, [tokens[idx] for idx in kept])
    add_tensors(writer, weights, codes, kept)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{arguments.output}: {os.path.getsize(arguments.output)} bytes")


if __name__ == "__main__":
    main()
