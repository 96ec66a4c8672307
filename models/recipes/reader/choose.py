"""Fits the weights that rank units, leaving each site out in turn.

Reads what `anchorite eval answers --candidates FILE` wrote for several sites, one file each: for each question the units that were read,
with their signs and whether they are right. The likelihood is that of a choice among a question's units (a softmax of weighted
sums), so a difference of one means odds of e. Prints the weights for `crate/engine/src/read.rs`, fitted on all sites, and how often the
first choice is right with weights fitted without the site.
"""

import argparse
import json
from pathlib import Path

import torch

SIGNS = ("margin", "evidence", "answerable", "relevant")
PENALTY = 1e-3


def questions(path: Path) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Signs, `[units, 5]`, and whether each unit is right; questions that don't depend on the weights are left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        right = torch.tensor([unit["is_right"] for unit in asked["candidates"]])
        if not right.any() or right.all():
            continue
        signs = [[*(unit["evidence"]["reading"][sign] for sign in SIGNS), unit["share"]] for unit in asked["candidates"]]
        found.append((torch.tensor(signs), right))
    return found


def fit(sites: list[list[tuple[torch.Tensor, torch.Tensor]]]) -> torch.Tensor:
    """Non-negative weights; each site counts as much as any other."""
    roots = torch.full((len(SIGNS) + 1,), 0.5, requires_grad=True)
    optimizer = torch.optim.LBFGS([roots], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        weights = roots.square()
        total = PENALTY * weights[:-1].square().sum()
        for site in sites:
            for signs, right in site:
                scores = signs @ weights
                total = total + (scores.logsumexp(0) - scores[right].logsumexp(0)) / len(site) / len(sites)
        total.backward()
        return total

    optimizer.step(loss)
    return roots.detach().square()


def share_right(site: list[tuple[torch.Tensor, torch.Tensor]], weights: torch.Tensor) -> float:
    return sum(bool(right[(signs @ weights).argmax()]) for signs, right in site) / len(site)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("candidates", type=Path, nargs="+", help="one file for each site")
    parser.add_argument("--beside", type=float, nargs=5, help="other weights to tell the share of, in the order printed")
    arguments = parser.parse_args()
    sites = [questions(path) for path in arguments.candidates]
    for idx, (path, site) in enumerate(zip(arguments.candidates, sites)):
        others = [other for number, other in enumerate(sites) if number != idx]
        told = f"{path.stem}: {len(site)} questions, first choice right {share_right(site, fit(others or sites)):.3f}"
        if arguments.beside:
            told += f", with the other weights {share_right(site, torch.tensor(arguments.beside)):.3f}"
        print(told)
    for name, weight in zip((*SIGNS, "share"), fit(sites)):
        print(f"{name}: {weight:.3f}")


if __name__ == "__main__":
    main()
