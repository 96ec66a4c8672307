"""Turns a decoder's shape and a sentence embedder's weights into quantised ONNX models as transformers.js loads them.

The decoder has random weights: it is right for speed and memory, useless for text. Attention, normalisation and rotary
positions are onnxruntime's own fused operators, the fastest form that published exports have.
"""

import argparse
import json
import logging
import shutil
import struct
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

# SmolLM2-135M, as its published configuration says; `bench_models` writes the same shape as GGUF.
DECODER = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "head_dim": 64,
    "vocab_size": 49152,
    "max_position_embeddings": 8192,
    "rope_theta": 100000.0,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "tie_word_embeddings": True,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
# Rows of the rotary tables: the longest run has a quarter of these.
N_POSITIONS = 2048

MINILM = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "hidden_size": 384,
    "intermediate_size": 1536,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
    "pad_token_id": 0,
}
MINILM_TOKENIZER = {
    "tokenizer_class": "BertTokenizer",
    "model_max_length": 256,
    "do_lower_case": True,
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
    "pad_token": "[PAD]",
    "sep_token": "[SEP]",
    "unk_token": "[UNK]",
}
# Where onnxruntime keeps the operators that the ONNX standard has not.
CONTRIB = "com.microsoft"


class Graph:
    """An ONNX graph that grows from its inputs; every method gives the name of what it added."""

    def __init__(self):
        self.nodes, self.constants, self.inputs, self.outputs = [], {}, [], []

    def input(self, name, kind, shape):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name, shape):
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, name, values):
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def add(self, kind, inputs, name, outputs=None, domain="", **attributes):
        node = helper.make_node(kind, inputs, outputs or [name], name=f"{name}/{kind}", domain=domain, **attributes)
        self.nodes.append(node)
        return name

    def model(self, opset):
        graph = helper.make_graph(self.nodes, "model", self.inputs, self.outputs, list(self.constants.values()))
        opsets = [helper.make_opsetid("", opset), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def save_int8(self, path, opset):
        """Writes the graph with its matrices and tables in int8; activations are quantised while it runs."""
        model = self.model(opset)
        path.parent.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            single = Path(folder) / "model.onnx"
            onnx.save(model, single)
            quantize_dynamic(
                single,
                path,
                op_types_to_quantize=["Gather", "MatMul"],
                weight_type=QuantType.QInt8,
                extra_options={"DefaultTensorType": TensorProto.FLOAT},
            )

    def save_q4(self, path, opset):
        """Writes the graph with its matrices in 4 bits and a scale for 32 of them; tables and activations stay single."""
        quantizer = MatMulNBitsQuantizer(self.model(opset), bits=4, block_size=32, is_symmetric=True)
        quantizer.process()
        path.parent.mkdir(parents=True)
        onnx.save(quantizer.model.model, path)


def decoder(folder, bits):
    """A llama: embedding, layers of attention and gated feed-forward, and the embedding again as output."""
    random = np.random.default_rng(7)
    width, n_ff = DECODER["hidden_size"], DECODER["intermediate_size"]
    n_heads, n_kv, size = (DECODER[key] for key in ("num_attention_heads", "num_key_value_heads", "head_dim"))
    eps = DECODER["rms_norm_eps"]
    graph = Graph()

    def matrix(x, n_in, n_out, name):
        weights = random.standard_normal((n_in, n_out), dtype=np.float32) / np.float32(n_in**0.5)
        return graph.add("MatMul", [x, graph.constant(f"{name}.weight", weights)], name)

    def gain(name):
        return graph.constant(name, np.ones(width, np.float32))

    # transformers.js knows the dimensions of an empty cache by these names.
    ids = graph.input("input_ids", TensorProto.INT64, ["batch_size", "sequence_length"])
    mask = graph.input("attention_mask", TensorProto.INT64, ["batch_size", "total_sequence_length"])
    keep = graph.input("num_logits_to_keep", TensorProto.INT64, [])

    # Inputs of the attention operator: the last position of each sequence, and the length of the longest.
    first_axis = graph.constant("first_axis", np.array([1], np.int64))
    n_seen = graph.add("ReduceSum", [mask, first_axis], "n_seen", keepdims=0)
    last = graph.add("Cast", [graph.add("Sub", [n_seen, first_axis], "last64")], "last", to=TensorProto.INT32)
    shape = graph.add("Shape", [mask], "mask_shape")
    total = graph.add("Gather", [shape, graph.constant("second", np.array(1, np.int64))], "total64", axis=0)
    total = graph.add("Cast", [total], "total", to=TensorProto.INT32)
    frequencies = DECODER["rope_theta"] ** -(np.arange(0, size, 2) / size)
    angles = np.outer(np.arange(N_POSITIONS), frequencies)
    rotary = [graph.constant(name, turn(angles).astype(np.float32)) for name, turn in (("cos", np.cos), ("sin", np.sin))]

    table = random.standard_normal((DECODER["vocab_size"], width), dtype=np.float32) * np.float32(0.04)
    stream = graph.add("Gather", [graph.constant("embedding", table), ids], "embedded", axis=0)
    x = graph.add("SimplifiedLayerNormalization", [stream, gain("gain")], "normed", axis=-1, epsilon=eps)

    def add_and_norm(stream, change, name):
        outputs = [f"{name}.normed", "", "", f"{name}.stream"]
        inputs = [stream, change, gain(f"{name}.gain")]
        graph.add("SkipSimplifiedLayerNormalization", inputs, name, outputs, CONTRIB, epsilon=eps)
        return outputs[0], outputs[3]

    for layer in range(DECODER["num_hidden_layers"]):
        past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
        present = [f"present.{layer}.{part}" for part in ("key", "value")]
        for name in past:
            graph.input(name, TensorProto.FLOAT, ["batch_size", n_kv, "past_sequence_length", size])
        for name in present:
            graph.output(name, ["batch_size", n_kv, "total_sequence_length", size])
        query = matrix(x, width, n_heads * size, f"{layer}.query")
        key = matrix(x, width, n_kv * size, f"{layer}.key")
        value = matrix(x, width, n_kv * size, f"{layer}.value")
        attended = graph.add(
            "GroupQueryAttention",
            [query, key, value, *past, last, total, *rotary],
            f"{layer}.attended",
            [f"{layer}.attended", *present],
            CONTRIB,
            num_heads=n_heads,
            kv_num_heads=n_kv,
            scale=size**-0.5,
            do_rotary=1,
            rotary_interleaved=0,
        )
        x, stream = add_and_norm(stream, matrix(attended, n_heads * size, width, f"{layer}.mixed"), f"{layer}.middle")
        gate, up = (matrix(x, width, n_ff, f"{layer}.{name}") for name in ("gate", "up"))
        swish = graph.add("Mul", [gate, graph.add("Sigmoid", [gate], f"{layer}.sigmoid")], f"{layer}.swish")
        gated = graph.add("Mul", [swish, up], f"{layer}.gated")
        x, stream = add_and_norm(stream, matrix(gated, n_ff, width, f"{layer}.down"), f"{layer}.end")

    # Only the positions that are asked for go through the output, which is a fifth of the work.
    start = graph.add("Reshape", [graph.add("Neg", [keep], "from_end"), first_axis], "start")
    end = graph.constant("end", np.array([np.iinfo(np.int32).max], np.int64))
    kept = graph.add("Slice", [x, start, end, first_axis], "kept")
    graph.add("MatMul", [kept, graph.constant("output.weight", table.T)], "logits")
    graph.output("logits", ["batch_size", "kept", DECODER["vocab_size"]])
    if bits == 4:
        graph.save_q4(folder / "onnx/model_q4.onnx", opset=21)
    else:
        graph.save_int8(folder / "onnx/model_quantized.onnx", opset=21)
    write(folder / "config.json", DECODER)
    # Without an end token nothing stops early.
    write(folder / "generation_config.json", {"bos_token_id": 1, "pad_token_id": 0})


def minilm(source, folder):
    """all-MiniLM-L6-v2 up to its last hidden states; the libraries pool these themselves."""
    weights = safetensors(source / "model.safetensors")
    width, n_heads, eps = (MINILM[key] for key in ("hidden_size", "num_attention_heads", "layer_norm_eps"))
    graph = Graph()

    def stored(name):
        return graph.constant(name, weights[name])

    def linear(x, place, name):
        product = graph.add("MatMul", [x, graph.constant(f"{place}.weight", weights[f"{place}.weight"].T)], f"{name}.product")
        return graph.add("Add", [product, stored(f"{place}.bias")], name)

    def norm(x, place, name):
        return graph.add("LayerNormalization", [x, stored(f"{place}.weight"), stored(f"{place}.bias")], name, axis=-1, epsilon=eps)

    ids, mask, types = (
        graph.input(name, TensorProto.INT64, ["batch_size", "sequence_length"]) for name in ("input_ids", "attention_mask", "token_type_ids")
    )
    words = graph.add("Gather", [stored("embeddings.word_embeddings.weight"), ids], "words", axis=0)
    kinds = graph.add("Gather", [stored("embeddings.token_type_embeddings.weight"), types], "kinds", axis=0)
    n_tokens = graph.add("Slice", [graph.add("Shape", [ids], "shape"), *whole(graph, "length", 1, 2)], "n_tokens")
    start = graph.constant("zero", np.array([0], np.int64))
    places = graph.add("Slice", [stored("embeddings.position_embeddings.weight"), start, n_tokens, start], "places")
    x = norm(graph.add("Add", [graph.add("Add", [words, kinds], "typed"), places], "placed"), "embeddings.LayerNorm", "embedded")

    # Padding gets a score that no softmax sees.
    seen = graph.add("Cast", [mask], "seen", to=TensorProto.FLOAT)
    seen = graph.add("Unsqueeze", [seen, graph.constant("middle_axes", np.array([1, 2], np.int64))], "seen4")
    hidden = graph.add("Sub", [graph.constant("one", np.float32(1)), seen], "hidden")
    penalty = graph.add("Mul", [hidden, graph.constant("large", np.float32(-1e4))], "penalty")
    parted = graph.constant("parted", np.array([0, 0, n_heads, width // n_heads], np.int64))
    joined = graph.constant("joined", np.array([0, 0, width], np.int64))
    scale = graph.constant("scale", np.float32((width // n_heads) ** -0.5))

    for layer in range(MINILM["num_hidden_layers"]):
        place = f"encoder.layer.{layer}"

        def heads(part, order):
            values = linear(x, f"{place}.attention.self.{part}", f"{layer}.{part}")
            values = graph.add("Reshape", [values, parted], f"{layer}.{part}.parted")
            return graph.add("Transpose", [values], f"{layer}.{part}.heads", perm=order)

        query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
        scores = graph.add("Mul", [graph.add("MatMul", [query, key], f"{layer}.product"), scale], f"{layer}.scores")
        shares = graph.add("Softmax", [graph.add("Add", [scores, penalty], f"{layer}.masked")], f"{layer}.shares", axis=-1)
        mixed = graph.add("MatMul", [shares, value], f"{layer}.mixed")
        mixed = graph.add("Transpose", [mixed], f"{layer}.mixed.turned", perm=[0, 2, 1, 3])
        mixed = graph.add("Reshape", [mixed, joined], f"{layer}.mixed.joined")
        change = linear(mixed, f"{place}.attention.output.dense", f"{layer}.attention")
        x = norm(graph.add("Add", [x, change], f"{layer}.middle"), f"{place}.attention.output.LayerNorm", f"{layer}.middle.normed")
        wide = graph.add("Gelu", [linear(x, f"{place}.intermediate.dense", f"{layer}.wide")], f"{layer}.gelu")
        change = linear(wide, f"{place}.output.dense", f"{layer}.narrow")
        is_last = layer == MINILM["num_hidden_layers"] - 1
        name = "last_hidden_state" if is_last else f"{layer}.end.normed"
        x = norm(graph.add("Add", [x, change], f"{layer}.end"), f"{place}.output.LayerNorm", name)
    graph.output(x, ["batch_size", "sequence_length", width])
    graph.save_int8(folder / "onnx/model_quantized.onnx", opset=20)
    write(folder / "config.json", MINILM)
    write(folder / "tokenizer_config.json", MINILM_TOKENIZER)
    # The published file cuts and pads every text to one length; the libraries do as they are told instead.
    tokenizer = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    write(folder / "tokenizer.json", {**tokenizer, "truncation": None, "padding": None})


def whole(graph, name, start, end):
    """The constants by which `Slice` takes `start .. end` of the first axis."""
    numbers = {"start": start, "end": end, "axis": 0}
    return [graph.constant(f"{name}.{part}", np.array([value], np.int64)) for part, value in numbers.items()]


def safetensors(path):
    """The tensors of a file, all in single precision."""
    data = path.read_bytes()
    (n_header,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + n_header])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        start, end = (8 + n_header + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[start:end], np.float32).reshape(entry["shape"])
    return tensors


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


def finished(folder, make):
    """Makes a model in a folder that gets its name only when it is whole: one that is there is not made again."""
    unfinished = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    make(unfinished)
    unfinished.rename(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decoder", type=Path, help="where the decoder is written in 8 bits")
    parser.add_argument("--decoder-q4", type=Path, help="where the decoder is written in 4 bits")
    parser.add_argument("--minilm", type=Path, help="where the embedder is written")
    parser.add_argument("--source", type=Path, help="the folder with the embedder's published weights")
    arguments = parser.parse_args()
    # The quantiser tells of every node.
    logging.disable(logging.INFO)
    if arguments.decoder:
        finished(arguments.decoder, lambda folder: decoder(folder, bits=8))
    if arguments.decoder_q4:
        finished(arguments.decoder_q4, lambda folder: decoder(folder, bits=4))
    if arguments.minilm:
        finished(arguments.minilm, lambda folder: minilm(arguments.source, folder))


if __name__ == "__main__":
    main()
