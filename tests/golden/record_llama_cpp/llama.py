"""Turns a GGUF file and token ids into what llama.cpp computes with them, and records into text."""

import ctypes
import hashlib
import json
from pathlib import Path

import llama_cpp
import numpy


class Model:
    """A model in llama.cpp, on one thread and without flash attention; keys and values in single or in half precision."""

    def __init__(self, path: Path, n_context: int = 64, has_halves: bool = False, is_encoder: bool = False):
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"llama.cpp does not load {path}")
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = n_context
        params.n_ubatch = min(n_context, params.n_ubatch)
        params.n_threads = params.n_threads_batch = 1
        params.type_k = params.type_v = llama_cpp.GGML_TYPE_F16 if has_halves else llama_cpp.GGML_TYPE_F32
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.embeddings = is_encoder
        self.context = llama_cpp.llama_init_from_model(self.model, params)
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.n_vocab = llama_cpp.llama_vocab_n_tokens(self.vocab)

    def put_on(self, path: Path) -> None:
        adapter = llama_cpp.llama_adapter_lora_init(self.model, str(path).encode())
        if not adapter:
            raise SystemExit(f"llama.cpp does not load {path}")
        adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(adapter)
        scales = (ctypes.c_float * 1)(1.0)
        if llama_cpp.llama_set_adapters_lora(self.context, adapters, 1, scales):
            raise SystemExit(f"llama.cpp does not put {path} on")

    def logits(self, tokens: list[int], position: int, n_rows: int | None = None) -> numpy.ndarray:
        """The logits of the last `n_rows` tokens, of all without it, `[n_rows, V]`; what stands before `position` is in the cache."""
        first = 0 if n_rows is None else len(tokens) - n_rows
        batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = position + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
            batch.logits[index] = index >= first
        if llama_cpp.llama_decode(self.context, batch):
            raise SystemExit("llama.cpp does not run the tokens")
        rows = [
            numpy.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self.context, index), (self.n_vocab,)).copy()
            for index in range(first, len(tokens))
        ]
        llama_cpp.llama_batch_free(batch)
        return numpy.stack(rows)

    def forget(self) -> None:
        """Empties the cache of keys and values."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)

    def tokens(self, text: str, may_steer: bool = False) -> list[int]:
        """The tokens of a text, those that control the model only where it `may_steer`."""
        encoded = text.encode()
        n_most = len(encoded) + 8
        tokens = (llama_cpp.llama_token * n_most)()
        n_tokens = llama_cpp.llama_tokenize(self.vocab, encoded, len(encoded), tokens, n_most, True, may_steer)
        return list(tokens[:n_tokens])

    def text(self, tokens: list[int]) -> str:
        """The text of tokens; those that control the model say nothing."""
        said = b""
        for token in tokens:
            piece = ctypes.create_string_buffer(256)
            n_bytes = llama_cpp.llama_token_to_piece(self.vocab, token, piece, len(piece), 0, False)
            said += piece.raw[:n_bytes]
        return said.decode()

    def is_end(self, token: int) -> bool:
        return llama_cpp.llama_vocab_is_eog(self.vocab, token)

    def embedding(self, tokens: list[int]) -> numpy.ndarray:
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        if llama_cpp.llama_encode(self.context, llama_cpp.llama_batch_get_one(array, len(tokens))):
            raise SystemExit("llama.cpp does not run the tokens")
        n_embd = llama_cpp.llama_model_n_embd(self.model)
        mean = numpy.ctypeslib.as_array(llama_cpp.llama_get_embeddings_seq(self.context, 0), (n_embd,)).copy()
        return mean / numpy.linalg.norm(mean)

    def free(self) -> None:
        llama_cpp.llama_free(self.context)
        llama_cpp.llama_model_free(self.model)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def short(values: numpy.ndarray, n_digits: int = 7) -> list[float]:
    return [float(f"{value:.{n_digits}g}") for value in values]


def lines(value: object, depth: int = 0) -> str:
    """JSON with every list of numbers on a line of its own, so that a change is read line by line."""
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        entries = [f"{inner}{json.dumps(key)}: {lines(entry, depth + 1)}" for key, entry in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{outer}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(inner + lines(entry, depth + 1) for entry in value) + f"\n{outer}]"
    return json.dumps(value, separators=(",", ":"))
