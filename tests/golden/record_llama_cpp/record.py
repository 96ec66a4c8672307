"""Turns the files of `write_families` into what llama.cpp computes with them: logits, greedy tokens, embeddings."""

import argparse
import ctypes
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import llama_cpp
import numpy

FAMILIES = ("llama", "qwen2", "qwen3", "gemma3")
KINDS = ("F32", "Q8_0")
N_PROMPT, N_GREEDY = 36, 16
# Any tokens, more than fit into Gemma's window.
PROMPT = [(index * 41 + 7) % 288 for index in range(N_PROMPT)]
TEXT = "the quick brown fox jumps over the lazy dog . er"


class Model:
    """A model in llama.cpp, in single precision where that can be chosen."""

    def __init__(self, path: Path, is_encoder: bool = False):
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"llama.cpp does not load {path}")
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = 64
        params.n_threads = params.n_threads_batch = 1
        params.type_k = params.type_v = llama_cpp.GGML_TYPE_F32
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

    def logits(self, tokens: list[int], position: int) -> numpy.ndarray:
        """The logits of every token, `[T, V]`; what stands before `position` is in the cache."""
        batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = position + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
            batch.logits[index] = 1
        if llama_cpp.llama_decode(self.context, batch):
            raise SystemExit("llama.cpp does not run the tokens")
        rows = [
            numpy.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self.context, index), (self.n_vocab,)).copy()
            for index in range(len(tokens))
        ]
        llama_cpp.llama_batch_free(batch)
        return numpy.stack(rows)

    def tokens(self, text: str) -> list[int]:
        tokens = (llama_cpp.llama_token * 64)()
        encoded = text.encode()
        n_tokens = llama_cpp.llama_tokenize(self.vocab, encoded, len(encoded), tokens, 64, True, False)
        return list(tokens[:n_tokens])

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


def short(values: numpy.ndarray) -> list[float]:
    return [float(f"{value:.7g}") for value in values]


def decoded(model: Model) -> dict:
    rows = model.logits(PROMPT, 0)
    greedy, last = [], rows[-1]
    while True:
        greedy.append(int(last.argmax()))
        if len(greedy) == N_GREEDY:
            break
        last = model.logits(greedy[-1:], N_PROMPT + len(greedy) - 1)[0]
    return {
        "first_choices": [int(row.argmax()) for row in rows],
        "greedy": greedy,
        "logits": short(rows[-1]),
    }


def decoder(folder: Path, name: str) -> dict:
    path, adapter = folder / f"{name}.gguf", folder / f"{name}.adapter.gguf"
    recorded = {"name": name, "model_sha256": sha256(path), "adapter_sha256": sha256(adapter)}
    for key in ("without_adapter", "with_adapter"):
        model = Model(path)
        if key == "with_adapter":
            model.put_on(adapter)
        recorded[key] = decoded(model)
        model.free()
    return recorded


def encoder(folder: Path, name: str) -> dict:
    path = folder / f"{name}.gguf"
    model = Model(path, is_encoder=True)
    tokens = model.tokens(TEXT)
    embedding = short(model.embedding(tokens))
    model.free()
    return {"name": name, "model_sha256": sha256(path), "text": TEXT, "tokens": tokens, "embedding": embedding}


def lines(value: object, depth: int = 0) -> str:
    """JSON with every list of numbers on a line of its own, so that a change is read line by line."""
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        entries = [f"{inner}{json.dumps(key)}: {lines(entry, depth + 1)}" for key, entry in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{outer}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(inner + lines(entry, depth + 1) for entry in value) + f"\n{outer}]"
    return json.dumps(value, separators=(",", ":"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what `write_families` wrote")
    parser.add_argument("out", type=Path, help="tests/fixtures/golden/families.json")
    arguments = parser.parse_args()
    llama_cpp.llama_backend_init()
    recorded = {
        "recorded_by": f"llama-cpp-python {version('llama-cpp-python')}, CPU, keys and values in F32, no flash attention",
        "prompt": PROMPT,
        "decoders": [decoder(arguments.folder, f"{family}-{kind}") for family in FAMILIES for kind in KINDS],
        "encoders": [encoder(arguments.folder, f"bert-{kind}") for kind in KINDS],
    }
    arguments.out.write_text(lines(recorded) + "\n")


if __name__ == "__main__":
    main()
