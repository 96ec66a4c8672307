"""Turns a checkpoint of train.py into a GGUF adapter, in llama.cpp's form, with half-precision numbers."""

import argparse
import tomllib
from pathlib import Path

import numpy
import torch
from gguf import GGUFWriter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--voice", type=Path, help="a TOML file with a label, openings and closings, for an adapter that is a voice")
    arguments = parser.parse_args()
    stored = torch.load(arguments.checkpoint)
    temporary = arguments.output.with_suffix(".part")
    writer = GGUFWriter(temporary, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_name(f"anchorite {arguments.voice.stem}" if arguments.voice else "anchorite grounding")
    writer.add_license("CC-BY-SA-4.0")
    writer.add_float32("adapter.lora.alpha", float(stored["alpha"]))
    if arguments.voice:
        voice = tomllib.loads(arguments.voice.read_text(encoding="utf-8"))
        writer.add_string("anchorite.voice.label", voice["label"])
        for key in ("openings", "closings"):
            if voice[key]:
                writer.add_array(f"anchorite.voice.{key}", voice[key])
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
