"""Turns a checkpoint of train.py into a GGUF adapter, in llama.cpp's form, with half-precision numbers."""

import argparse
from pathlib import Path

import numpy
import torch
from gguf import GGUFWriter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    stored = torch.load(arguments.checkpoint)
    temporary = arguments.output.with_suffix(".part")
    writer = GGUFWriter(temporary, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_name("anchorite grounding")
    writer.add_license("CC-BY-SA-4.0")
    writer.add_float32("adapter.lora.alpha", float(stored["alpha"]))
    for name, (a, b) in stored["pairs"].items():
        writer.add_tensor(f"{name}.lora_a", a.numpy().astype(numpy.float16))
        writer.add_tensor(f"{name}.lora_b", b.numpy().astype(numpy.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    temporary.replace(arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size} bytes after {stored['step']} steps")


if __name__ == "__main__":
    main()
