"""Turns a sample of the text files into the generator's byte-level BPE vocabulary (tokenizer.json)."""

import argparse
import random
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from data import SPECIAL_TOKENS, read_text

VOCABULARY_SIZE = 8192

# How many characters each file gives. The model answers from documentation, so
# documentation decides most merges; books and facts keep plain English whole.
SAMPLE_CHARACTERS = {"docs": 45_000_000, "books": 9_000_000, "facts": 3_000_000}
PIECE_CHARACTERS = 4_000


def sample(data: Path, seed: int):
    """Yields short pieces taken at random places, so that no long book rules the merges."""
    for name, wanted in SAMPLE_CHARACTERS.items():
        generator = random.Random(seed)
        documents = [document["text"] for document in read_text(data, name)]
        taken = 0
        while taken < wanted:
            text = generator.choice(documents)
            start = generator.randrange(max(1, len(text) - PIECE_CHARACTERS))
            piece = text[start : start + PIECE_CHARACTERS]
            taken += len(piece)
            yield piece


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public datasets, see README.md")
    parser.add_argument("--output", type=Path, required=True, help="where tokenizer.json goes")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    tokenizer = Tokenizer(models.BPE())
    # This is GPT-2's splitting pattern, which GGUF names "gpt-2".
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=24,
        show_progress=False,
    )
    tokenizer.train_from_iterator(sample(arguments.data, arguments.seed), trainer)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(arguments.output))
    print(f"{tokenizer.get_vocab_size()} tokens -> {arguments.output}")


if __name__ == "__main__":
    main()
