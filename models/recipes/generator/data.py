"""Turns questions and passages into the prompt text and token ids that the model reads, and opens the text files."""

import json
import lzma
import sys
from pathlib import Path

from tokenizers import Tokenizer

END_OF_TEXT, MESSAGE_START, MESSAGE_END = 0, 1, 2
SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

SYSTEM_MESSAGE = (
    "Answer the question from the passages only. Cite every sentence with its passage, like [1]. "
    "If the passages do not say, answer: The documents do not say."
)
ABSTENTION = "The documents do not say."

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def messages_for(question: str, passages: list[dict]) -> list[dict]:
    """The one place that says how a question and its passages become messages.

    A passage is {"title": str, "headings": [str, ..], "text": str}; passages count from 1.
    """
    parts = []
    for number, passage in enumerate(passages, start=1):
        title = passage["title"]
        path = [title] + [heading for heading in passage["headings"] if heading != title]
        parts.append(f"[{number}] {' > '.join(path)}\n{passage['text'].strip()}\n\n")
    return [
        {"role": "system", "content": SYSTEM_MESSAGE},
        {"role": "user", "content": "".join(parts) + f"Question: {question.strip()}"},
    ]


def render(messages: list[dict], add_generation_prompt: bool = True) -> str:
    """What CHAT_TEMPLATE renders, written out; golden.py checks the two against each other."""
    text = "".join(f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n" for message in messages)
    return text + ("<|im_start|>assistant\n" if add_generation_prompt else "")


def cite(sentence: str, number: int) -> str:
    """Puts the citation before the final full stop: "Cargo downloads them." becomes "Cargo downloads them [2]."."""
    sentence = sentence.strip()
    ending = sentence[-1] if sentence[-1:] in ("!", "?") else "."
    return f"{sentence.rstrip('.!?:;, ')} [{number}]{ending}"


def load_tokenizer(path: Path) -> Tokenizer:
    if not path.is_file():
        sys.exit(f"no vocabulary at {path}: run vocabulary.py first")
    return Tokenizer.from_file(str(path))


def find(data: Path, *names: str) -> Path:
    """The first of the named files below the data folder, or a clean end that says what is missing."""
    for name in names:
        if (data / name).exists():
            return data / name
    sys.exit(f"missing in {data}: {' or '.join(names)} (README.md lists the datasets and their names)")


def read_text(data: Path, name: str):
    """The documents {id, text, source} of text/NAME.jsonl, packed with xz or not."""
    path = find(data, f"text/{name}.jsonl", f"text/{name}.jsonl.xz")
    open_file = lzma.open if path.suffix == ".xz" else open
    with open_file(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def read_lines(path: Path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
