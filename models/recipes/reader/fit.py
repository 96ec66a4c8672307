"""Fits the weights that turn the signs of reader and retrieval into a probability, leaving each site out in turn.

Reads what `anchorite eval answers --answers FILE` wrote for several sites, one file each, and prints the weights for
`crate/engine/src/gate.rs`, fitted on all sites, and the results of weights fitted without the site that they are judged on.
"""

import argparse
import json
from pathlib import Path

import numpy as np

SIGNS = ("margin", "evidence", "answerable", "relevant", "lead")
NO_SIMILARITY = 0.5
# Keeps weights small where sites are few; the bias is free.
PENALTY = 1e-3


def rows(path: Path) -> tuple[np.ndarray, np.ndarray]:
    features, right = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        judged = json.loads(line)
        evidence = judged["evidence"]
        if judged["system"] != "reader" or not evidence:
            continue
        similarity = evidence["similarity"]
        features.append([
            1.0, *(evidence["reading"][sign] for sign in SIGNS), evidence["coverage"],
            NO_SIMILARITY if similarity is None else similarity,
        ])
        right.append(judged["is_right"])
    return np.array(features), np.array(right, dtype=float)


def fit(sites: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Non-negative weights: no sign in favour of an answer may count against it. Signs that would are left out, the
    most negative first."""
    kept = list(range(sites[0][0].shape[1]))
    while True:
        found = unconstrained([(features[:, kept], right) for features, right in sites])
        worst = min(range(1, len(kept)), key=lambda idx: found[idx])
        if found[worst] >= 0:
            weights = np.zeros(sites[0][0].shape[1])
            weights[kept] = found
            return weights
        del kept[worst]


def unconstrained(sites: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Newton's method on the penalised likelihood; each site counts as much as any other."""
    features = np.concatenate([found for found, _ in sites])
    right = np.concatenate([found for _, found in sites])
    share = np.concatenate([np.full(len(found), 1 / len(found) / len(sites)) for _, found in sites])
    weights = np.zeros(features.shape[1])
    penalty = PENALTY * np.eye(len(weights))
    penalty[0, 0] = 0
    for _ in range(50):
        probability = 1 / (1 + np.exp(-features @ weights))
        gradient = features.T @ (share * (probability - right)) + penalty @ weights
        curvature = (features * (share * probability * (1 - probability))[:, None]).T @ features + penalty
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def area(probability: np.ndarray, right: np.ndarray) -> float:
    """Area under the risk-coverage curve."""
    order = np.argsort(-probability)
    wrong = np.cumsum(1 - right[order]) / np.arange(1, len(order) + 1)
    return float(wrong.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("answers", type=Path, nargs="+", help="one file for each site")
    arguments = parser.parse_args()
    sites = [rows(path) for path in arguments.answers]
    for idx, (path, (features, right)) in enumerate(zip(arguments.answers, sites)):
        others = [site for number, site in enumerate(sites) if number != idx]
        probability = 1 / (1 + np.exp(-features @ fit(others or sites)))
        claimed = probability >= 0.5
        print(f"{path.stem}: {len(right)} questions, {right.mean():.3f} right, AURC {area(probability, right):.3f}, "
              f"claimed at 0.5 {claimed.mean():.3f}, of these right {right[claimed].mean() if claimed.any() else 0:.3f}, "
              f"mean probability {probability.mean():.3f}")
    for name, weight in zip(("bias", *SIGNS, "coverage", "similarity"), fit(sites)):
        print(f"{name}: {weight:.3f}")


if __name__ == "__main__":
    main()
