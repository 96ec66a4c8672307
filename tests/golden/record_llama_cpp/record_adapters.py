"""Turns the adapters that ship into the likeliest tokens and their logits that llama.cpp computes with them on SmolLM2-135M-Instruct."""

import argparse
import json
from importlib.metadata import version
from pathlib import Path

import llama_cpp
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llama import Model, lines, sha256, short
from record_smollm2 import N_CONTEXT, messages

# Places in `smollm2_prompts.json`: with one passage, with two, and a question that its passage doesn't answer.
PROMPTS = [1, 3, 5]
N_GREEDY, N_LIKELIEST = 8, 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="SmolLM2-135M-Instruct.gguf, as `anchorite pull` keeps it")
    parser.add_argument("prompts", type=Path, help="tests/fixtures/golden/smollm2_prompts.json")
    parser.add_argument("out", type=Path, help="tests/fixtures/golden/adapters.json")
    parser.add_argument("adapters", type=Path, nargs="+", help="the adapters' files, below `models/`")
    arguments = parser.parse_args()
    llama_cpp.llama_backend_init()
    prompts = json.loads(arguments.prompts.read_text())
    recorded = []
    for path in arguments.adapters:
        model = Model(arguments.model, N_CONTEXT, has_halves=True)
        model.put_on(path)
        jinja = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        template = jinja.from_string(llama_cpp.llama_model_chat_template(model.model, None).decode())
        steps = []
        for number in PROMPTS:
            text = template.render(messages=messages(prompts["prompts"][number], prompts), add_generation_prompt=True)
            tokens = model.tokens(text, may_steer=True)
            model.forget()
            last = model.logits(tokens, 0, n_rows=1)[0]
            for step in range(N_GREEDY):
                likeliest = [int(token) for token in last.argsort()[: -N_LIKELIEST - 1 : -1]]
                steps.append({"prompt": number, "step": step, "tokens": likeliest, "logits": short(last[likeliest])})
                if model.is_end(likeliest[0]):
                    break
                last = model.logits(likeliest[:1], len(tokens) + step)[0]
        recorded.append({"file": path.name, "sha256": sha256(path), "steps": steps})
        model.free()
    record = {
        "recorded_by": f"llama-cpp-python {version('llama-cpp-python')}, CPU, keys and values in F16, no flash attention",
        "adapters": recorded,
    }
    arguments.out.write_text(lines(record) + "\n")


if __name__ == "__main__":
    main()
