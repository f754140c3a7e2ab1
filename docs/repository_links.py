"""mdBook's preprocessor of this book. Chapters are documents of the repository, or include one, and link to their neighbours as
they lie there. In the book, a link to a chapter leads to the chapter, one to a file of the book to that file, and any other to
the repository on the web; one that leads nowhere ends the build."""

import json
import os
import re
import sys
from pathlib import Path

BOOK = Path(__file__).parent.resolve()
ROOT = BOOK.parent
ON_THE_WEB = "https://github.com/modelzoo-rs/modelzoo"
INCLUDE = re.compile(r"^\{\{#include ([^}:]+)((?::[^}]*)?)\}\}$", re.M)
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
CODE = re.compile(r"^```[\s\S]*?^```$|^    [^\n]*$|`[^`\n]+`", re.M)


def main() -> None:
    if sys.argv[1:2] == ["supports"]:
        return
    _, book = json.load(sys.stdin)
    chapters = list(all_chapters(book.get("items") or book["sections"]))
    # By what they show, which is what others link to.
    places = {BOOK / chapter["path"]: chapter["path"] for chapter in chapters}
    for chapter in chapters:
        if whole := INCLUDE.fullmatch(chapter["content"].strip()):
            places[(BOOK / chapter["path"]).parent.joinpath(whole[1]).resolve()] = chapter["path"]
    for chapter in chapters:
        chapter["content"] = expanded(chapter["content"], BOOK / chapter["path"], chapter["path"], places)
    json.dump(book, sys.stdout)


def all_chapters(items: list):
    for item in items:
        if isinstance(item, dict) and (chapter := item.get("Chapter")):
            yield chapter
            yield from all_chapters(chapter["sub_items"])


def expanded(text: str, file: Path, chapter: str, places: dict) -> str:
    """The text of a file in a chapter: links lead on from there, and documents that are included whole are in it."""
    pieces, end = [], 0
    for code in CODE.finditer(text):
        pieces += [prose(text[end : code.start()], file, chapter, places), code[0]]
        end = code.end()
    return "".join(pieces) + prose(text[end:], file, chapter, places)


def prose(text: str, file: Path, chapter: str, places: dict) -> str:
    def include(found: re.Match) -> str:
        included = file.parent.joinpath(found[1]).resolve()
        return expanded(included.read_text(), included, chapter, places)

    def link(found: re.Match) -> str:
        if "://" in found[2] or found[2].startswith("mailto:"):
            return found[0]
        return found[1] + target(file, found[2], chapter, places) + found[3]

    # Not by turns: what was included has its links already.
    pieces = INCLUDE.split(text)
    whole = [LINK.sub(link, pieces[0])]
    for name, lines, rest in zip(pieces[1::3], pieces[2::3], pieces[3::3]):
        found = INCLUDE.fullmatch("{{#include " + name + lines + "}}")
        whole += [found[0] if lines else include(found), LINK.sub(link, rest)]
    return "".join(whole)


def target(file: Path, link: str, chapter: str, places: dict) -> str:
    led_to = Path(os.path.normpath(file.parent / link))
    if not led_to.exists():
        sys.exit(f"{file.relative_to(ROOT)}: the link to {link} leads nowhere")
    inside = BOOK / places[led_to] if led_to in places else led_to
    if inside.is_relative_to(BOOK) and (led_to in places or led_to.suffix != ".md"):
        return os.path.relpath(inside, (BOOK / chapter).parent)
    kind = "tree" if led_to.is_dir() else "blob"
    return f"{ON_THE_WEB}/{kind}/main/{led_to.relative_to(ROOT)}"


main()
