"""Turns the exported files into figures: loss, token F1, citations and abstention on questions that never trained."""

import argparse
import json
import math
import random
import re
from collections import Counter
from pathlib import Path

import torch
from torch.nn import functional

import pairs
from data import ABSTENTION, MESSAGE_END, cite, find, load_tokenizer
from packing import Context, Corpus, encode, off_topic_questions
from reference import apply_adapter, decode, read_generator

ANSWER_LIMIT = 80


def held_out_corpora(data: Path, seed: int) -> dict[str, Corpus]:
    return {
        "squad-dev": Corpus(pairs.squad_articles(find(data, "qa/squad/public-v2.0.json")), seed),
        "documentation": Corpus(pairs.documentation_articles(data, 400, seed, held_out=True), seed),
        "documentation-faq": Corpus(pairs.faq_articles(data, held_out=True), seed),
    }


def single_questions(corpus: Corpus, off_topic, tokenizer, count: int, seed: int) -> list[Context]:
    """One question per context, as a reader asks. The corpora mix refusals in at the rate of training."""
    generator = random.Random(seed)
    found = []
    while len(found) < count:
        passages, asked = corpus.context(generator, off_topic)
        context = encode(tokenizer, passages, [generator.choice(asked)])
        if context.length() <= 1024:
            found.append(context)
    return found


def words(text: str) -> list[str]:
    return re.findall(r"\w+", re.sub(r" \[\d+\]", "", text).lower())


def token_f1(answer: str, reference: str) -> float:
    common = sum((Counter(words(answer)) & Counter(words(reference))).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(words(answer)), common / len(words(reference))
    return 2 * precision * recall / (precision + recall)


@torch.no_grad()
def losses(model, context: Context) -> tuple[tuple[float, int], tuple[float, int]]:
    """Summed loss and number of tokens, of the passages' text and of the wanted answer."""
    rest, answer = context.branches[0]
    tokens = torch.tensor(context.shared + rest + answer)
    each = functional.cross_entropy(model(tokens[None, :-1])[0], tokens[1:], reduction="none")
    text, wanted = each[: len(context.shared) - 1], each[-len(answer) :]
    return (text.sum().item(), len(text)), (wanted.sum().item(), len(wanted))


def copied(answer: str, prompt: str) -> bool:
    """Whether the answer stands in the passages word for word."""
    text = re.sub(r" \[\d+\]", "", answer).rstrip(".!? ")
    return bool(text) and text in prompt


def share(count: int, whole: int) -> float | None:
    return round(count / whole, 3) if whole else None


def measure(model, tokenizer, contexts: list[Context], examples: list | None = None) -> dict:
    counts, sums = Counter(), Counter()
    f1 = 0.0
    for context in contexts:
        rest, answer = context.branches[0]
        prompt = context.shared + rest
        for name, (loss, length) in zip(("text", "answer"), losses(model, context)):
            sums[name] += loss
            counts[name] += length
        produced, _ = decode(model, prompt, ANSWER_LIMIT)
        given = tokenizer.decode([token for token in produced if token != MESSAGE_END])
        wanted = tokenizer.decode(answer[:-1])
        counts["ended"] += produced[-1] == MESSAGE_END
        refused = given.strip() == ABSTENTION
        if wanted == ABSTENTION:
            counts["unanswerable"] += 1
            counts["refused"] += refused
        else:
            counts["answerable"] += 1
            counts["refused_wrongly"] += refused
            f1 += token_f1(given, wanted)
            counts["exact"] += given.strip() == wanted
            if not refused:
                cited = re.findall(r"\[(\d+)\]", given)
                counts["answered"] += 1
                counts["cited"] += bool(cited)
                counts["cited_right"] += bool(cited) and set(cited) == set(re.findall(r"\[(\d+)\]", wanted))
                counts["copied"] += copied(given, tokenizer.decode(prompt))
        if examples is not None and len(examples) < 40:
            question = tokenizer.decode(rest).removeprefix("Question: ").removesuffix("\nassistant\n")
            examples.append({"question": question, "wanted": wanted, "given": given})
    return {
        "questions": len(contexts),
        "text_perplexity": round(math.exp(sums["text"] / counts["text"]), 1),
        "answer_loss": round(sums["answer"] / counts["answer"], 4),
        "answer_perplexity": round(math.exp(sums["answer"] / counts["answer"]), 2),
        "token_f1": round(f1 / max(1, counts["answerable"]), 3),
        "exact": share(counts["exact"], counts["answerable"]),
        "wrong_refusals": share(counts["refused_wrongly"], counts["answerable"]),
        "right_refusals": share(counts["refused"], counts["unanswerable"]),
        "unanswerable": counts["unanswerable"],
        "answers_with_citation": share(counts["cited"], counts["answered"]),
        "citation_accuracy": share(counts["cited_right"], counts["answered"]),
        "answers_copied_verbatim": share(counts["copied"], counts["answered"]),
        "answers_ended": share(counts["ended"], len(contexts)),
    }


def first_sentence_baseline(tokenizer, contexts: list[Context]) -> dict:
    """What always quoting the first sentence of passage 1 scores: the figure to beat."""
    f1 = right = answerable = 0
    for context in contexts:
        wanted = tokenizer.decode(context.branches[0][1][:-1])
        if wanted == ABSTENTION:
            continue
        text = tokenizer.decode(context.shared).split("\n[1] ", 1)[-1].split("\n", 1)[-1]
        given = cite(pairs.sentences(text)[0], 1)
        answerable += 1
        f1 += token_f1(given, wanted)
        right += "[1]" in wanted
    return {"token_f1": round(f1 / max(1, answerable), 3), "citation_accuracy": share(right, answerable)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public datasets, see README.md")
    parser.add_argument("--vocabulary", type=Path, required=True, help="tokenizer.json from vocabulary.py")
    parser.add_argument("--generator", type=Path, required=True)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=120, help="per held-out set")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    tokenizer = load_tokenizer(arguments.vocabulary)
    off_topic = off_topic_questions(arguments.data)
    model = read_generator(find(arguments.generator.parent, arguments.generator.name))
    if arguments.adapter:
        apply_adapter(model, find(arguments.adapter.parent, arguments.adapter.name))
    figures = {}
    examples: list[dict] = []
    for name, corpus in held_out_corpora(arguments.data, arguments.seed).items():
        contexts = single_questions(corpus, off_topic, tokenizer, arguments.questions, arguments.seed)
        shown: list[dict] = []
        figures[name] = measure(model, tokenizer, contexts, shown)
        figures[name]["first_sentence_baseline"] = first_sentence_baseline(tokenizer, contexts)
        examples += [{"set": name, **example} for example in shown[:8]]
        print(name, json.dumps(figures[name]))
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"adapter": bool(arguments.adapter), "figures": figures, "examples": examples}, indent=1, ensure_ascii=False)
    arguments.log.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
