"""Turns a model's file and the recorded prompts into the greedy text that llama.cpp writes behind each of them."""

import argparse
import hashlib
import json
from array import array
from importlib.metadata import version
from pathlib import Path

import llama_cpp
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llama import Model, lines, sha256, short

N_GREEDY, N_CONTEXT = 32, 4096


def messages(prompt: dict, prompts: dict) -> list[dict]:
    """The conversation of a prompt; `tests/harness/smollm2.rs` has the same rule."""
    texts = [prompts["texts"][name] for name in prompt["passages"]]
    if "request" in prompt:
        return [{"role": "user", "content": "\n\n".join([prompt["request"], *texts])}]
    if not texts:
        return [{"role": "user", "content": prompt["question"]}]
    passages = [
        f"[{number}] {name}\n{text}\n\n"
        for number, (name, text) in enumerate(zip(prompt["passages"], texts), start=1)
    ]
    return [
        {"role": "system", "content": prompts["instructions"]},
        {"role": "user", "content": "".join(passages) + f"Question: {prompt['question']}"},
    ]


def decoded(model: Model, text: str) -> dict:
    tokens = model.tokens(text, may_steer=True)
    model.forget()
    greedy, margins = [], []
    last = model.logits(tokens, 0, n_rows=1)[0]
    while True:
        second, first = sorted(last)[-2:]
        greedy.append(int(last.argmax()))
        margins.append(first - second)
        if len(greedy) == N_GREEDY or model.is_end(greedy[-1]):
            break
        last = model.logits(greedy[-1:], len(tokens) + len(greedy) - 1)[0]
    return {
        "n_tokens": len(tokens),
        "tokens_sha256": hashlib.sha256(array("I", tokens).tobytes()).hexdigest(),
        "greedy": greedy,
        "margins": short(margins, 3),
        "text": model.text(greedy),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="SmolLM2-135M-Instruct.gguf, as `anchorite pull` keeps it")
    parser.add_argument("prompts", type=Path, help="tests/fixtures/golden/smollm2_prompts.json")
    parser.add_argument("out", type=Path, help="tests/fixtures/golden/smollm2.json")
    arguments = parser.parse_args()
    llama_cpp.llama_backend_init()
    prompts = json.loads(arguments.prompts.read_text())
    model = Model(arguments.model, N_CONTEXT, has_halves=True)
    # As `transformers` sets Jinja up, which the template was written for.
    jinja = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    template = jinja.from_string(llama_cpp.llama_model_chat_template(model.model, None).decode())
    texts = [
        template.render(messages=messages(prompt, prompts), add_generation_prompt=True) for prompt in prompts["prompts"]
    ]
    recorded = {
        "recorded_by": f"llama-cpp-python {version('llama-cpp-python')}, CPU, keys and values in F16, no flash attention",
        "model_sha256": sha256(arguments.model),
        "prompts": [decoded(model, text) for text in texts],
    }
    arguments.out.write_text(lines(recorded) + "\n")


if __name__ == "__main__":
    main()
