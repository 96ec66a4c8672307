"""Turns lines of texts from standard input into lines that say how long onnxruntime took for them, on one thread.

A request is {"texts": [..], "batch": n}, its answer {"ms": .., "n_tokens": .., "first": [..]} as of `bench_embed`.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


def main():
    folder = Path(sys.argv[1])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    path = folder / "onnx/model_quantized.onnx"
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding()
    for line in sys.stdin:
        request = json.loads(line)
        texts, n_batch = request["texts"], request["batch"]
        n_tokens = sum(len(tokenizer.encode(text).ids) for text in texts)
        start = time.perf_counter()
        vectors = [embed(session, tokenizer, texts[at : at + n_batch]) for at in range(0, len(texts), n_batch)]
        ms = (time.perf_counter() - start) * 1000
        print(json.dumps({"ms": ms, "n_tokens": n_tokens, "first": vectors[0][0].tolist()}), flush=True)


def embed(session, tokenizer, texts):
    """The mean of the last hidden states, of unit length."""
    encodings = tokenizer.encode_batch(texts)
    ids, mask, types = (
        np.array([getattr(encoding, name) for encoding in encodings], np.int64)
        for name in ("ids", "attention_mask", "type_ids")
    )
    (states,) = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": types})
    weights = mask[:, :, None].astype(np.float32)
    means = (states * weights).sum(axis=1) / weights.sum(axis=1)
    return means / np.linalg.norm(means, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
