"""Writes a low-rank reader as GGUF: the pairs of its layers in 8 bits, the rows of both token types, and two heads in floats.

Everything else is the embedder's, which the file names. A pair is laid out as llama.cpp's `convert_lora_to_gguf.py` does, so that
`crate/model/src/adapter.rs` reads it like any other adapter.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, dequantize, quantize

from export import VERSION
from model import MATRICES, Vocabulary, learnt, restored

PAIR_TYPE = GGMLQuantizationType.Q8_0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", type=Path, required=True, help="reader.pt, as train.py --rank wrote it")
    parser.add_argument("--embedder", type=Path, required=True, help="the embedder on whose layers it was trained")
    parser.add_argument("--licence", default="cc-by-sa-4.0", help="an SPDX expression")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounded", type=Path, help="where the rounded weights are kept too, for evaluate.py and golden.py")
    arguments = parser.parse_args()
    vocabulary = Vocabulary.of_gguf(arguments.embedder)
    reader = restored(arguments.reader, arguments.embedder, vocabulary)
    rank = len(reader.layers[0].query.a)
    base = GGUFReader(arguments.embedder).fields["general.name"].contents()
    writer = GGUFWriter(arguments.output, "bert")
    writer.add_type("adapter")
    writer.add_name(f"anchorite reader, on {base}")
    writer.add_license(arguments.licence)
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, base)
    writer.add_string("adapter.type", "lora")
    # Training multiplies the pairs by nothing else.
    writer.add_float32("adapter.lora.alpha", float(rank))
    writer.add_uint32("reader.version", VERSION)
    with torch.no_grad():
        for number, layer in enumerate(reader.layers):
            for name, stored in MATRICES.items():
                matrix = getattr(layer, name)
                for half, values in (("lora_a", matrix.a), ("lora_b", matrix.b)):
                    packed = quantize(values.numpy(), PAIR_TYPE)
                    writer.add_tensor(f"blk.{number}.{stored}.weight.{half}", packed, raw_dtype=PAIR_TYPE)
                    values.copy_(torch.from_numpy(dequantize(packed, PAIR_TYPE).astype(np.float32)))
        writer.add_tensor("token_types.weight", reader.types.weight.numpy())
        for name, head in (("reader.tokens", reader.token_head), ("reader.window", reader.window_head)):
            writer.add_tensor(f"{name}.weight", head.weight.numpy())
            writer.add_tensor(f"{name}.bias", head.bias.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    if arguments.rounded:
        torch.save(learnt(reader), arguments.rounded)
    print(f"{arguments.output}: {os.path.getsize(arguments.output)} bytes")


if __name__ == "__main__":
    main()
