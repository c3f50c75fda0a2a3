"""A file of expectations as text: split into entries with their comments, and written again in order.

Knows no results; `update` decides whether an entry still holds.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final, TypeAlias

import tomlkit
from tomlkit.items import AoT, Array, Comment, Item, Null, Table, Whitespace

from burn_verify.core.stage import Stage
from burn_verify.expectations.match import Expectation, has_wildcard, parse

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
#   on = ["examples"]          # optional: only drawn values fail (--ops-examples); where they agree, that is fine too
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
    """The text of an entry.

    Attributes:
        text: with the comments above it; empty for an element of an inline array.
        comments: all of its comments, each with its number sign.
    """

    text: str
    comments: tuple[str, ...]
    entries: tuple[Expectation, ...]

    def stands_for(self, entries: Sequence[Expectation]) -> bool:
        """Return whether this block stands for exactly these entries."""
        return [entry.pattern for entry in self.entries] == [entry.pattern for entry in entries]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole file.

    Attributes:
        head: the comments at its start, and the name of the file that it inherits from.
        blocks: its entries in order.
        foot: the comments at its end.
    """

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
    entries = iter(parse(text, source))
    whole = tomlkit.parse(text.replace("\r\n", "\n"))
    found = whole.pop("expect", [])
    if not isinstance(found, AoT):
        # An inline array: none of its text can be kept.
        blocks = tuple(Block(text="", comments=(), entries=(entry,)) for entry in entries)
        return Document(head=whole.as_string().strip(), blocks=blocks, foot="")
    remarks = _of_the_first([item for _, item in whole.body if not isinstance(item, Null)])
    head = whole.as_string().removesuffix(_text(remarks))
    made = []
    for table in found:
        its = tuple(islice(entries, len(table["cases"]) if "cases" in table else 1))
        made.append(_block(remarks, table, its))
        remarks = _remarks_after(table)
    return Document(head=head.strip(), blocks=tuple(made), foot=_text(remarks).strip())


def _of_the_first(above: Sequence[Item]) -> list[Item]:
    """Return the comments that touch the first entry: they are its own, unless they start the file."""
    comments = list(takewhile(lambda item: isinstance(item, Comment), reversed(above)))[::-1]
    before = above[: len(above) - len(comments)]
    return comments if before and isinstance(before[-1], Whitespace) else []


def _remarks_after(table: Table) -> list[Item]:
    """Return the comments and blank lines below the keys of a table: they belong to what follows."""
    items = [item for _, item in table.value.body]
    return list(takewhile(lambda item: isinstance(item, Comment | Whitespace), reversed(items)))[::-1]


def _block(above: Sequence[Item], table: Table, entries: tuple[Expectation, ...]) -> Block:
    below = _remarks_after(table)
    inside = [item for _, item in table.value.body[: len(table.value.body) - len(below)]]
    whole = (_text(above) + _entry_text(table).removesuffix(_text(below))).strip("\n")
    comments = [*above, table, *inside]
    return Block(text=whole, comments=tuple(word for item in comments for word in _comments_of(item)), entries=entries)


def _comments_of(item: Item) -> Iterator[str]:
    """Yield the comments of a part of a file: its own, or beside it, and those on lines of their own in an array."""
    if isinstance(item, Array):
        lines = (line.strip() for line in item.as_string().split("\n"))
        yield from (line for line in lines if line.startswith("#"))
    if not isinstance(item, Whitespace) and item.trivia.comment:
        yield item.trivia.comment


def _text(items: Sequence[Item]) -> str:
    return "".join(item.as_string() for item in items)


def _entry_text(table: Table) -> str:
    """Return a table with its header."""
    entry, array = tomlkit.document(), tomlkit.aot()
    array.append(table)
    entry.add("expect", array)
    return entry.as_string()


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
    return "\n".join([*comments, _entry_text(_table(entries)).strip()])


def _table(entries: Sequence[Expectation]) -> Table:
    first = entries[0]
    table = tomlkit.table()
    if len(entries) == 1:
        table.add("pattern", _string(first.pattern))
    else:
        table.add("cases", tomlkit.array().multiline(True))
        table["cases"].extend(_string(entry.pattern) for entry in entries)
    table.add("stage", _string(first.stage_word))
    table.add("reason", _string(first.reason))
    if first.link is not None:
        table.add("link", _string(first.link))
    if first.on:
        table.add("on", tomlkit.array())
        table["on"].extend(map(_string, first.on))
    return table


def _string(text: str) -> Item:
    """Return a string in which invisible characters are escaped, also those that TOML would accept."""
    quoted = tomlkit.string(text).as_string()
    return tomlkit.value("".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted))
