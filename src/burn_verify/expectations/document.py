"""A file of expectations as text: split into entries with their comments, and written again in order.

Knows no results; `update` decides whether an entry still holds.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from burn_verify.core.errors import UsageError
from burn_verify.core.stage import Stage
from burn_verify.expectations.match import ENTRY_HEADER, Expectation, has_wildcard, parse

HEADER: Final = """\
# Failures expected of Burn {version} on the {backend} backend.
#
#   [[expect]]
#   pattern = "zoo/candy"      # a case id; * and ? are wildcards, brackets are themselves
#   cases = ["zoo/candy"]      # instead of pattern: several of them that fail for one reason
#   stage = "convert"          # load, convert, compile, reference, run or compare
#   reason = "unsupported operators Crop, ImageScaler, Affine"
#   link = "https://..."       # optional
#   on = ["wgpu"]              # optional: a version of Burn, a backend, simplify=off; only there does the entry count
#
# A file may begin with inherits = "0.22-flex": it then holds only what is different there, and stage = "passes" says
# that a case passes although the other file expects it to fail.
#
# A whole id beats a wildcard, and a later entry an earlier one. A failure at another stage is a failure like any
# other, and so is a pass. `burn-verify expectations update RECORD` brings this file up to date: it keeps the reasons,
# links and comments of what still fails, and sorts. Entries with wildcards come first and keep their order."""

Key: TypeAlias = tuple[str, Stage | None, str, str | None, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The text of an entry, the comments above it included."""

    text: str
    entries: tuple[Expectation, ...]

    @property
    def comments(self) -> Iterator[str]:
        """Yield the lines that are comments only."""
        return (line.strip() for line in self.text.split("\n") if _is_comment(line))

    def stands_for(self, entries: Sequence[Expectation]) -> bool:
        """Return whether this block stands for exactly these entries."""
        return [entry.pattern for entry in self.entries] == [entry.pattern for entry in entries]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole file: the comments at its start, its entries in order, the comments at its end."""

    head: str
    blocks: tuple[Block, ...]
    foot: str


def key_of(entry: Expectation) -> Key:
    """Return the fields that the cases of one entry share."""
    return entry.corpus, entry.stage, entry.reason, entry.link, entry.on


def read(text: str, source: str) -> Document:
    """Split a file into entries.

    Arguments:
        text: TOML, may be empty.
        source: name of the file, for messages.

    Raises:
        UsageError: the text is not a file of expectations; names ``source:line``.
    """
    entries = parse(text, source)
    lines = text.replace("\r\n", "\n").split("\n")
    *starts, end = _borders(lines)
    parts = ["\n".join(lines[start:stop]).strip("\n") for start, stop in pairwise([*starts, end])]
    try:
        blocks = tuple(Block(text=part, entries=parse(part, source)) for part in parts)
    except UsageError:  # the start of an entry inside a multi-line string
        blocks = ()
    if [entry.pattern for block in blocks for entry in block.entries] != [entry.pattern for entry in entries]:
        # Or it is an inline array: none of its text can be kept.
        blocks = tuple(Block(text="", entries=(entry,)) for entry in entries)
        starts, end = [_content(lines)], len(lines)
    start = starts[0] if starts else end
    return Document(head="\n".join(lines[:start]).strip(), blocks=blocks, foot="\n".join(lines[end:]).strip())


def _borders(lines: Sequence[str]) -> list[int]:
    """Find where each entry starts, with the comments above it, and where the last one ends."""
    headers = [index for index, line in enumerate(lines) if ENTRY_HEADER.match(line)]
    if not headers:
        return [len(lines)]
    # Comments that touch the first entry are its own, unless they start the file.
    blanks = [index for index in range(headers[0]) if not lines[index].strip()]
    first = blanks[-1] + 1 if blanks else headers[0]
    return [first, *(_back(lines, header) for header in headers[1:]), _back(lines, len(lines))]


def _back(lines: Sequence[str], end: int) -> int:
    """Go back over blank lines and comments."""
    while end > 0 and _is_blank_or_comment(lines[end - 1]):
        end -= 1
    return end


def _content(lines: Sequence[str]) -> int:
    """Find the first line that is neither blank nor a comment."""
    return next(index for index, line in enumerate(lines) if not _is_blank_or_comment(line))


def _is_blank_or_comment(line: str) -> bool:
    return not line.strip() or _is_comment(line)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def render(document: Document, entries: Sequence[Expectation], header: str) -> str:
    """Return the text of a file: wildcards in their order, then the ids by corpus, stage, reason and id.

    An entry without changes keeps its text; a changed one keeps only its comments.

    Arguments:
        document: the file so far.
        entries: the new content.
        header: comments for a file that does not begin with comments.
    """
    parts = [document.head or header, *_wildcard_parts(document, entries), *_id_parts(document, entries), document.foot]
    return "\n\n".join(part for part in parts if part) + "\n"


def _wildcard_parts(document: Document, entries: Sequence[Expectation]) -> Iterator[str]:
    """Write the entries with wildcards; their order decides which of two matching entries counts."""
    kept = {id(entry) for entry in entries if has_wildcard(entry.pattern)}
    for block in document.blocks:
        if group := [entry for entry in block.entries if id(entry) in kept]:
            yield _part(group, [block])


def _id_parts(document: Document, entries: Sequence[Expectation]) -> Iterator[str]:
    """Write one entry for all ids of a corpus that fail at one stage for one reason."""
    groups: dict[Key, list[Expectation]] = defaultdict(list)
    for entry in entries:
        if not has_wildcard(entry.pattern):
            groups[key_of(entry)].append(entry)
    written: dict[Key, list[Block]] = defaultdict(list)
    for block in document.blocks:
        for key in {key_of(entry) for entry in block.entries if not has_wildcard(entry.pattern)}:
            written[key].append(block)
    order = [*Stage, None]
    for key in sorted(groups, key=lambda key: (key[0], order.index(key[1]), key[2], key[3] or "", key[4])):
        yield _part(sorted(groups[key], key=lambda entry: entry.pattern), written[key])


def _part(entries: Sequence[Expectation], blocks: Sequence[Block]) -> str:
    if len(blocks) == 1 and blocks[0].text and blocks[0].stands_for(entries):
        return blocks[0].text
    comments = (comment for block in blocks for comment in block.comments)
    return "\n".join([*comments, *_entry_lines(entries)])


def _entry_lines(entries: Sequence[Expectation]) -> Iterator[str]:
    """Write an entry.

    By hand, since the format is four keys of text, and libraries that edit TOML in place do not sort and merge tables
    with their comments.
    """
    first = entries[0]
    yield "[[expect]]"
    if len(entries) == 1:
        yield f"pattern = {_quoted(first.pattern)}"
    else:
        yield from ("cases = [", *(f"    {_quoted(entry.pattern)}," for entry in entries), "]")
    yield f"stage = {_quoted(first.stage_word)}"
    yield f"reason = {_quoted(first.reason)}"
    if first.link is not None:
        yield f"link = {_quoted(first.link)}"
    if first.on:
        yield f"on = [{', '.join(map(_quoted, first.on))}]"


def _quoted(text: str) -> str:
    # JSON's escapes are valid in TOML, which requires a few more.
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)
