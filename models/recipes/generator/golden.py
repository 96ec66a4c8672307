"""Turns five prompts and the exported files into golden fixtures: prompt.json and generator.json for the engine's tests."""

import argparse
import json
from pathlib import Path

import jinja2
import torch

import model as generator_model
from data import CHAT_TEMPLATE, find, load_tokenizer, messages_for, render
from reference import apply_adapter, decode, read_generator

NEXT_TOKENS, FIRST_SCORES = 24, 5

CASES = [
    {
        "question": "What does Cargo do?",
        "passages": [
            {
                "title": "Introduction",
                "headings": ["Introduction"],
                "text": "Cargo is the Rust package manager. Cargo downloads your dependencies, compiles your packages, "
                "makes distributable packages, and uploads them to a registry.",
            }
        ],
    },
    {
        "question": "  How long is a session kept?\n",
        "passages": [
            {"title": "Accounts", "headings": ["Signing in"], "text": "Sign in with your e-mail address and a password."},
            {
                "title": "Accounts",
                "headings": ["Sessions", "Lifetime"],
                "text": "\nA session is kept for thirty days. After that you have to sign in again.\n",
            },
            {"title": "Backups", "headings": [], "text": "Backups are written every night and kept for one week."},
        ],
    },
    {
        "question": "Which planet is the largest?",
        "passages": [
            {"title": "Install", "headings": ["Install", "Linux"], "text": "Unpack the archive and run ./install.sh as root."},
            {"title": "Install", "headings": ["Install", "Windows"], "text": "Start setup.exe and follow the steps."},
        ],
    },
    {
        "question": "Wie öffne ich eine Datei? – “naïve” café ☕",
        "passages": [
            {"title": "Dateien & Ordner", "headings": ["Öffnen"], "text": "Eine Datei öffnen Sie mit Strg+O.\n\nMehrere: Umschalttaste."}
        ],
    },
    {
        "question": "What is in the template?",
        "passages": [
            {
                "title": "Templates",
                "headings": ["Chat > Form", "Templates"],
                "text": "```\n{{ message.role }}\n```\nA line with  two spaces, a tab\tand [1] a bracket.",
            },
            {"title": "Untitled", "headings": [], "text": "A passage without headings has its title alone."},
        ],
    },
]
DECODED_CASES = (0, 1, 2)


def prompts() -> list[dict]:
    """The cases with their messages and text; the chat template and render() must agree on them."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(CHAT_TEMPLATE)
    cases = []
    for case in CASES:
        messages = messages_for(case["question"], case["passages"])
        text = render(messages)
        if template.render(messages=messages, add_generation_prompt=True) != text:
            raise SystemExit("render() and the chat template disagree")
        cases.append({**case, "messages": messages, "prompt": text})
    return cases


def continuation(model, tokens: list[int]) -> dict:
    produced, scores = decode(model, tokens, NEXT_TOKENS, stop=False)
    top = torch.topk(scores, FIRST_SCORES)
    return {
        "tokens": produced,
        "first_step": [{"token": int(token), "logit": round(float(score), 5)} for score, token in zip(top.values, top.indices)],
    }


@torch.no_grad()
def largest_difference(model, checkpoint: Path, tokens: list[int]) -> tuple[float, float]:
    """How far Q8_0 moves the scores of the trained weights (largest difference, and their deviation for scale)."""
    exact = generator_model.load(checkpoint)(torch.tensor([tokens]))
    packed = model(torch.tensor([tokens]))
    return float((exact - packed).abs().max()), float(exact.std())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder with tokenizer.json and generator.pt")
    parser.add_argument("--models", type=Path, required=True, help="folder with generator.gguf and adapter.gguf")
    parser.add_argument("--output", type=Path, required=True, help="folder for prompt.json and generator.json")
    arguments = parser.parse_args()

    cases = prompts()
    tokenizer = load_tokenizer(arguments.work / "tokenizer.json")
    plain = read_generator(find(arguments.models, "generator.gguf"))
    adapted = read_generator(arguments.models / "generator.gguf")
    apply_adapter(adapted, find(arguments.models, "adapter.gguf"))
    decoded = []
    for index in DECODED_CASES:
        tokens = tokenizer.encode(cases[index]["prompt"]).ids
        decoded.append(
            {
                "prompt": cases[index]["prompt"],
                "tokens": tokens,
                "without_adapter": continuation(plain, tokens),
                "with_adapter": continuation(adapted, tokens),
            }
        )
        difference, deviation = largest_difference(plain, arguments.work / "generator.pt", tokens)
        print(f"case {index}: largest difference to the trained weights {difference:.4f}, deviation of the scores {deviation:.2f}")
        for name in ("without_adapter", "with_adapter"):
            print(f"  {name}: {tokenizer.decode(decoded[-1][name]['tokens'], skip_special_tokens=False)!r}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, value in (("prompt.json", cases), ("generator.json", decoded)):
        (arguments.output / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
