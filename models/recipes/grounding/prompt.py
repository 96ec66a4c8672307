"""Turns a question and numbered pieces of text into the prompt that `crate/engine/src/prompt` makes of them, in SmolLM2's chat form."""

INSTRUCTIONS = (
    "Answer the question from the passages only. Cite every sentence with its passage, like [1]. "
    "If the passages do not say, answer: The documents do not say."
)
BARE_INSTRUCTIONS = (
    "Answer the question from what you know, in one to three whole sentences. If you do not know, answer: I do not know."
)
REFUSAL = "The documents do not say."
END = "<|im_end|>"


def prompt(question: str, pieces: list[dict]) -> str:
    """`pieces` have `number`, `heading` and `text`; without any, the question is put alone."""
    user = "".join(f"[{piece['number']}] {piece['heading']}\n{piece['text'].strip()}\n\n" for piece in pieces)
    turns = (("system", INSTRUCTIONS if pieces else BARE_INSTRUCTIONS), ("user", f"{user}Question: {question.strip()}"))
    return "".join(f"<|im_start|>{role}\n{text}{END}\n" for role, text in turns) + "<|im_start|>assistant\n"
