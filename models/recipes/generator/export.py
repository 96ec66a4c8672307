"""Turns checkpoints into the files that ship: generator.gguf (Q8_0) and adapter.gguf (LoRA), in llama.cpp's form."""

import argparse
import json
from pathlib import Path

import gguf
import torch
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, TokenType

import model as generator_model
from data import CHAT_TEMPLATE, END_OF_TEXT, MESSAGE_END, SPECIAL_TOKENS, find

LICENSE = "CC-BY-SA-4.0"


def add_vocabulary(writer: GGUFWriter, path: Path) -> None:
    vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]
    tokens = sorted(vocabulary["vocab"], key=vocabulary["vocab"].get)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in vocabulary["merges"]]
    types = [TokenType.CONTROL if token in SPECIAL_TOKENS else TokenType.NORMAL for token in tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(END_OF_TEXT)
    writer.add_eos_token_id(MESSAGE_END)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def finish(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def export_generator(checkpoint: Path, vocabulary: Path, output: Path) -> None:
    model = generator_model.load(checkpoint)
    configuration = model.configuration
    temporary = output.with_suffix(".part")
    writer = GGUFWriter(temporary, "llama")
    writer.add_name("anchorite generator")
    writer.add_description("Small experimental model that answers from passages and cites them")
    writer.add_license(LICENSE)
    writer.add_context_length(configuration.context)
    writer.add_embedding_length(configuration.width)
    writer.add_block_count(configuration.layers)
    writer.add_feed_forward_length(configuration.feed_forward)
    writer.add_head_count(configuration.heads)
    writer.add_head_count_kv(configuration.key_value_heads)
    writer.add_layer_norm_rms_eps(configuration.norm_epsilon)
    writer.add_rope_freq_base(configuration.rope_theta)
    writer.add_rope_dimension_count(configuration.head_width)
    writer.add_vocab_size(configuration.vocabulary)
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    add_vocabulary(writer, vocabulary)
    for name, weight in model.state_dict().items():
        values = weight.float().numpy()
        if values.ndim == 2:
            packed = gguf.quants.quantize(values, GGMLQuantizationType.Q8_0)
            writer.add_tensor(name, packed, raw_dtype=GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(name, values)
    finish(writer)
    temporary.replace(output)


def export_adapter(checkpoint: Path, output: Path) -> None:
    stored = torch.load(checkpoint, weights_only=True)
    temporary = output.with_suffix(".part")
    writer = GGUFWriter(temporary, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_name("anchorite documentation voice")
    writer.add_license(LICENSE)
    writer.add_float32("adapter.lora.alpha", float(stored["alpha"]))
    for name, (down, up) in stored["pairs"].items():
        writer.add_tensor(f"{name}.lora_a", down.half().numpy())
        writer.add_tensor(f"{name}.lora_b", up.half().numpy())
    finish(writer)
    temporary.replace(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder with tokenizer.json, generator.pt and adapter.pt")
    parser.add_argument("--output", type=Path, required=True, help="folder for the two files")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    vocabulary = find(arguments.work, "tokenizer.json")
    export_generator(find(arguments.work, "generator.pt"), vocabulary, arguments.output / "generator.gguf")
    export_adapter(find(arguments.work, "adapter.pt"), arguments.output / "adapter.gguf")
    for path in (arguments.output / "generator.gguf", arguments.output / "adapter.gguf"):
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
