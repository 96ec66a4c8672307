"""The part that both encoders' files share: the metadata of a six-layer MiniLM, as llama.cpp reads it."""

import os
from collections.abc import Callable
from pathlib import Path

from gguf import GGUFWriter, LlamaFileType, TokenType

LAYERS, WIDTH, HEADS, HIDDEN = 6, 384, 12, 1536
NORM_EPSILON = 1e-12
# The most tokens of a text that are read; later positions are left out.
POSITIONS = 256
SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def spelling(token: str) -> str:
    """WordPiece as llama.cpp spells it: a mark before the first piece of a word, nothing before the others."""
    if token.startswith("##"):
        return token[2:]
    return token if token.startswith("[") and token.endswith("]") else "\u2581" + token


def write(path: Path, name: str, licence: str, tokens: list[str], numbers: dict[str, int], add_tensors: Callable) -> None:
    """Writes an encoder; `numbers` are its own metadata, and `add_tensors(writer)` adds its weights."""
    writer = GGUFWriter(path, "bert")
    writer.add_name(name)
    writer.add_license(licence)
    writer.add_file_type(LlamaFileType.MOSTLY_Q4_0)
    writer.add_block_count(LAYERS)
    writer.add_context_length(POSITIONS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(NORM_EPSILON)
    writer.add_causal_attention(False)
    for key, value in numbers.items():
        writer.add_uint32(key, value)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")
    writer.add_token_list([spelling(token) for token in tokens])
    writer.add_token_types([TokenType.CONTROL if token in SPECIAL_TOKENS else TokenType.NORMAL for token in tokens])
    writer.add_token_type_count(2)
    for key, token in zip(("padding", "unknown", "cls", "seperator", "mask"), SPECIAL_TOKENS):
        writer.add_uint32(f"tokenizer.ggml.{key}_token_id", tokens.index(token))
    add_tensors(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{path}: {os.path.getsize(path)} bytes")
