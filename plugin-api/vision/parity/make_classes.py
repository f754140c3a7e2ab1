#!/usr/bin/env python3
"""Writes src/repository/imagenet_22k.txt from the tables that timm comes with.

    parity/make_classes.py

A line for each class of Google's selection of ImageNet, in the order of WordNet's numbers: letters for the other selections
that it is in, a space, and its name. That is WordNet's first word for it, or all of its words where other classes have the
same first one.
"""

from collections import Counter
from pathlib import Path

import timm

TABLES = Path(timm.__file__).parent / "data/_info"
# The other selections by their letters.
SELECTIONS = {"1": "", "k": "12k", "m": "21k_miil", "w": "22k"}


def selection(name: str) -> list[str]:
    return (TABLES / f"imagenet{name}_synsets.txt").read_text().split()


def main() -> None:
    rows = (line.split("\t") for line in (TABLES / "imagenet_synset_to_lemma.txt").read_text().splitlines())
    words = dict(rows)
    everything = selection("21k_goog")
    # The order of the file has to tell that of all others.
    assert all(selection(name) == sorted(selection(name)) for name in [*SELECTIONS.values(), "21k_goog"])
    members = {letter: set(selection(name)) for letter, name in SELECTIONS.items()}
    first = {number: words[number].split(",")[0] for number in everything}
    shared = Counter(first.values())
    lines = []
    for number in everything:
        letters = "".join(letter for letter, numbers in members.items() if number in numbers)
        name = first[number] if shared[first[number]] == 1 else words[number]
        lines.append(f"{letters} {name}\n")
    target = Path(__file__).resolve().parents[1] / "src/repository/imagenet_22k.txt"
    target.write_text("".join(lines))


if __name__ == "__main__":
    main()
