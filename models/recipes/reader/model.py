"""A sentence embedder as a reader: a question and a window of text in, the answer's position out.

One pass gives, for each token, the logits of being the answer's first and last token and of being part of a sentence that
is evidence; and for the window, the logits of being about the question and of answering it. The first token, `[CLS]`, stands for
"no answer here" (Devlin and others, "BERT", 2019, section 4.3).
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from gguf import GGUFReader, dequantize
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import nn

sys.path.append(str(Path(__file__).parents[1]))
from bert_gguf import HEADS, HIDDEN, LAYERS, NORM_EPSILON, POSITIONS, SPECIAL_TOKENS, WIDTH  # noqa: E402

WORD_START = "\u2581"

# The share of each step's output that training drops (Devlin and others, appendix A.2).
DROPOUT = 0.1
# Rows of the two heads.
START, END, EVIDENCE = range(3)
RELEVANT, ANSWERABLE = range(2)


class Adapted(nn.Linear):
    """A frozen layer with a low-rank change: `W x + B A x`, `A` `[R, n_in]`, `B` `[n_out, R]` and zero at first."""

    def __init__(self, frozen: nn.Linear, rank: int) -> None:
        super().__init__(frozen.in_features, frozen.out_features)
        self.weight, self.bias = (nn.Parameter(p.detach(), requires_grad=False) for p in (frozen.weight, frozen.bias))
        self.a = nn.Parameter(torch.randn(rank, frozen.in_features) / frozen.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(frozen.out_features, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + F.linear(F.linear(x, self.a), self.b)


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.output = nn.Linear(WIDTH, WIDTH)
        self.output_norm = nn.LayerNorm(WIDTH, NORM_EPSILON)
        self.up = nn.Linear(WIDTH, HIDDEN)
        self.down = nn.Linear(HIDDEN, WIDTH)
        self.down_norm = nn.LayerNorm(WIDTH, NORM_EPSILON)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        n_texts, n_tokens, _ = x.shape

        def heads(linear: nn.Linear) -> torch.Tensor:
            return linear(x).view(n_texts, n_tokens, HEADS, -1).transpose(1, 2)

        attended = F.scaled_dot_product_attention(
            heads(self.query), heads(self.key), heads(self.value), attn_mask=seen
        )
        x = self.output_norm(x + self.dropout(self.output(attended.transpose(1, 2).reshape(n_texts, n_tokens, WIDTH))))
        return self.down_norm(x + self.dropout(self.down(F.gelu(self.up(x)))))


class Reader(nn.Module):
    def __init__(self, n_vocabulary: int, n_layers: int = LAYERS, n_positions: int = POSITIONS) -> None:
        super().__init__()
        self.words = nn.Embedding(n_vocabulary, WIDTH)
        self.positions = nn.Embedding(n_positions, WIDTH)
        self.types = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, NORM_EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(n_layers))
        self.token_head = nn.Linear(WIDTH, 3)
        self.window_head = nn.Linear(WIDTH, 2)

    def forward(self, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Takes `[texts, tokens]` each; returns `[texts, tokens, 3]` and `[texts, 2]`."""
        x = self.norm(self.words(ids) + self.types(types) + self.positions.weight[: ids.shape[1]])
        seen = mask[:, None, None, :].bool()
        for layer in self.layers:
            x = layer(x, seen)
        return self.token_head(x), self.window_head(x[:, 0])


# A module's name within a layer in the published weights, and here.
PUBLISHED = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "output",
    "attention.output.LayerNorm": "output_norm",
    "intermediate.dense": "up",
    "output.dense": "down",
    "output.LayerNorm": "down_norm",
}

# A linear layer's name here, and in llama.cpp.
MATRICES = {
    "query": "attn_q", "key": "attn_k", "value": "attn_v", "output": "attn_output", "up": "ffn_up", "down": "ffn_down",
}
NORMS = {"output_norm": "attn_output_norm", "down_norm": "layer_output_norm"}


@dataclass
class Vocabulary:
    """The tokens of an embedder that ships, so that a page needs one vocabulary for both."""

    # WordPiece as the `tokenizers` crate spells it, or the pieces of a unigram model as they are.
    tokens: list[str]
    pad: int
    cls: int
    sep: int
    # A unigram model also has the logarithm of each piece's probability, the unknown piece, and SentencePiece's rules for characters.
    scores: list[float] | None = None
    unknown: int = 1
    charsmap: bytes = b""

    @classmethod
    def of_gguf(cls, path: Path) -> "Vocabulary":
        fields = GGUFReader(path).fields

        def number(name: str) -> int:
            return int(fields[f"tokenizer.ggml.{name}_token_id"].contents())

        tokens = fields["tokenizer.ggml.tokens"].contents()
        if fields["tokenizer.ggml.model"].contents() == "t5":
            charsmap = bytes(fields["tokenizer.ggml.precompiled_charsmap"].contents())
            return cls(tokens, number("padding"), number("bos"), number("eos"), fields["tokenizer.ggml.scores"].contents(),
                       number("unknown"), charsmap)
        wordpieces = [
            token if token in SPECIAL_TOKENS else token[1:] if token.startswith(WORD_START) else f"##{token}" for token in tokens
        ]
        return cls(wordpieces, number("padding"), number("cls"), number("seperator"))

    def tokenizer(self) -> Tokenizer:
        """As in BERT's uncased models or in XLM-R, with offsets but without the tokens that frame a text."""
        if self.scores:
            tokenizer = Tokenizer(models.Unigram(list(zip(self.tokens, self.scores)), self.unknown, False))
            tokenizer.normalizer = normalizers.Precompiled(self.charsmap)
            tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
            return tokenizer
        ids = {token: idx for idx, token in enumerate(self.tokens)}
        tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        return tokenizer


def published(folder: Path, vocabulary: Vocabulary) -> Reader:
    """The published sentence embedder with new heads, cut to the vocabulary's rows."""
    stored = load_file(folder / "model.safetensors")
    rows = {token: idx for idx, token in enumerate((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())}
    reader = Reader(len(vocabulary.tokens))
    state = reader.state_dict()
    kept = torch.tensor([rows[token] for token in vocabulary.tokens])
    state["words.weight"] = stored["embeddings.word_embeddings.weight"][kept]
    state["positions.weight"] = stored["embeddings.position_embeddings.weight"][:POSITIONS]
    state["types.weight"] = stored["embeddings.token_type_embeddings.weight"]
    for part in ("weight", "bias"):
        state[f"norm.{part}"] = stored[f"embeddings.LayerNorm.{part}"]
        for layer in range(LAYERS):
            for source, name in PUBLISHED.items():
                state[f"layers.{layer}.{name}.{part}"] = stored[f"encoder.layer.{layer}.{source}.{part}"]
    start_heads(state)
    reader.load_state_dict(state)
    return reader


def start_heads(state: dict[str, torch.Tensor]) -> None:
    for name in ("token_head", "window_head"):
        nn.init.normal_(state[f"{name}.weight"], std=0.02)
        nn.init.zeros_(state[f"{name}.bias"])


def adapted(reader: Reader, rank: int) -> Reader:
    """Freezes the encoder but for the rows that tell question and text apart, and gives each of its layers a pair."""
    for name, parameter in reader.named_parameters():
        parameter.requires_grad = name.startswith(("types.", "token_head.", "window_head."))
    for layer in reader.layers:
        for name in MATRICES:
            setattr(layer, name, Adapted(getattr(layer, name), rank))
    return reader


def learnt(reader: Reader) -> dict[str, torch.Tensor]:
    """The state of a reader, or, on a frozen encoder, the part of it that was trained."""
    frozen = {name for name, parameter in reader.named_parameters() if not parameter.requires_grad}
    return {name: value for name, value in reader.state_dict().items() if name not in frozen}


def restored(path: Path, embedder: Path, vocabulary: Vocabulary) -> Reader:
    """The reader that `train.py` or `export.py` kept in `path`, ready to read; a low-rank one on the layers of `embedder`."""
    state = torch.load(path)
    pairs = [value for name, value in state.items() if name.endswith(".a")]
    reader = adapted(of_gguf(embedder, vocabulary), len(pairs[0])) if pairs else Reader(len(vocabulary.tokens))
    reader.load_state_dict(state, strict=not pairs)
    return reader.eval()


def of_gguf(path: Path, vocabulary: Vocabulary) -> Reader:
    """The weights of a `reader.gguf`, or those of an embedder under new heads, as its rounding left them."""
    file = GGUFReader(path)
    n_layers, n_positions = (int(file.fields[f"bert.{name}"].contents()) for name in ("block_count", "context_length"))
    names = {"token_embd": "words", "position_embd": "positions", "token_types": "types", "token_embd_norm": "norm",
             "reader.tokens": "token_head", "reader.window": "window_head"}
    for layer in range(n_layers):
        names |= {f"blk.{layer}.{stored}": f"layers.{layer}.{name}" for name, stored in (MATRICES | NORMS).items()}
    reader = Reader(len(vocabulary.tokens), n_layers, n_positions)
    state = reader.state_dict()
    start_heads(state)
    for found in file.tensors:
        module, part = found.name.rsplit(".", 1)
        name = f"{names[module]}.{part}"
        values = torch.from_numpy(dequantize(found.data, found.tensor_type).astype("float32"))
        state[name] = values.reshape(state[name].shape)
    reader.load_state_dict(state)
    return reader
