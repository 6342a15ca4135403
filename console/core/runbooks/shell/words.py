"""Splits POSIX shell text into simple commands. What it does not split for certain, it says.

It knows quotes, backslashes, comments, and the signs between commands. Everything else that a shell would act on is
named as not understood: substitutions, here-documents, files that are written, functions, the background. The commands
around it are read all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from console.core.numbers import count

_BLANKS = " \t"
_HARMLESS_REDIRECTION = re.compile(r"(?:>{1,2}[ \t]*/dev/null|>&[12]|<[ \t]*/dev/null)(?=[ \t\n;|&]|$)")
_VARIABLE = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\}|[0-9@*#?$!-])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_PATTERN_SIGNS = "*?[{~"

SUBSTITUTION = "a command in $(…) or `…`"
BACKGROUND = "a command that goes on in the background"
FILE = "a file that is written or read (> or <)"
GROUP = "a group of commands or a function"
QUOTE = "a quote that is not closed"
EXPANSION = "an expansion of the shell ($…)"


@dataclass(frozen=True, slots=True)
class Word:
    """One word without its quotes."""

    text: str
    literal: bool = True
    """False: the shell replaces a part of it, by the value of a variable or by names of files."""


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """The words of one command."""

    words: tuple[Word, ...]
    piped: bool = False
    """It reads what the command before it prints."""

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def split_commands(text: str) -> tuple[tuple[SimpleCommand, ...], tuple[str, ...]]:
    """The simple commands of a text, and what was not understood. Never raises."""
    splitter = _Splitter(text)
    splitter.split()
    return tuple(splitter.commands), tuple(dict.fromkeys(splitter.unclear))


class _Splitter:
    def __init__(self, text: str) -> None:
        self.commands: list[SimpleCommand] = []
        self.unclear: list[str] = []
        self._text = text
        self._at = 0
        self._words: list[Word] = []
        self._word: str | None = None
        """What is collected of the word; None: between words."""
        self._literal = True
        self._piped = False

    def split(self) -> None:
        if _CONTROL.search(self._text):
            self.unclear.append("a control character")
        while self._at < len(self._text):
            sign = self._text[self._at]
            if sign in _BLANKS:
                self._end_word()
                self._at += 1
            elif sign == "#" and self._word is None:
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif sign in "\n;&|()":
                self._separator(sign)
            elif sign in "<>":
                self._redirection()
            else:
                self._character(sign)
        self._end_command()

    # --- words ------------------------------------------------------------------------------------------------------

    def _character(self, sign: str) -> None:
        """One sign of a word, or what its quotes hold."""
        if sign == "\\":
            self._escaped()
        elif sign == "'":
            self._add(self._until_quote("'"))
        elif sign == '"':
            self._double_quoted()
        elif sign in "$`":
            self._expansion()
        else:
            if sign in _PATTERN_SIGNS:
                self._literal = False
            self._add(sign)
            self._at += 1

    def _escaped(self) -> None:
        """The sign after a backslash. A line that ends with one goes on in the next line."""
        after = self._text[self._at + 1 : self._at + 2]
        if after != "\n":
            self._add(after)
        self._at += 2

    def _until_quote(self, quote: str) -> str:
        end = self._text.find(quote, self._at + 1)
        if end < 0:
            self.unclear.append(QUOTE)
            end = len(self._text)
        found = self._text[self._at + 1 : end]
        self._at = end + 1
        return found

    def _double_quoted(self) -> None:
        self._add("")
        self._at += 1
        while self._at < len(self._text):
            sign = self._text[self._at]
            if sign == '"':
                self._at += 1
                return
            if sign == "\\" and self._text[self._at + 1 : self._at + 2] in ("$", "`", '"', "\\", "\n"):
                self._escaped()
            elif sign in "$`":
                self._expansion(quoted=True)
            else:
                self._add(sign)
                self._at += 1
        self.unclear.append(QUOTE)

    def _expansion(self, *, quoted: bool = False) -> None:
        """A variable makes its word unknown. Everything else after a dollar sign or a backtick is not understood."""
        found = _VARIABLE.match(self._text, self._at)
        if found is not None:
            self._literal = False
            self._add(found[0])
            self._at = found.end()
            return
        sign, after = self._text[self._at], self._text[self._at + 1 : self._at + 2]
        if sign == "`" or after == "(":
            self.unclear.append(SUBSTITUTION)
        elif after not in ("", " ", "\t", "\n") and not (quoted and after == '"'):
            self.unclear.append(EXPANSION)
        self._add(sign)
        self._at += 1

    def _add(self, text: str) -> None:
        self._word = (self._word or "") + text

    def _end_word(self) -> None:
        if self._word is not None:
            self._words.append(Word(self._word, self._literal or self._word == "["))
        self._word, self._literal = None, True

    # --- commands ---------------------------------------------------------------------------------------------------

    def _separator(self, sign: str) -> None:
        pair = self._text[self._at : self._at + 2]
        self._at += 2 if pair in ("&&", "||", ";;", "|&") else 1
        if sign in "()" or pair in (";;", "|&"):
            self.unclear.append(GROUP)
        elif sign == "&" and pair != "&&":
            self.unclear.append(BACKGROUND)
        if sign == "\n" and self._piped and not self._words and self._word is None:
            return  # the line after a pipe
        self._end_command()
        self._piped = sign == "|" and pair != "||"

    def _end_command(self) -> None:
        self._end_word()
        if self._words:
            self.commands.append(SimpleCommand(tuple(self._words), self._piped))
            self._piped = False
        self._words = []

    def _redirection(self) -> None:
        """Output that is thrown away, or joined with the other one, changes nothing."""
        if self._word is not None and count(self._word) is not None:
            self._word, self._literal = None, True  # the number of the stream: 2>/dev/null
        self._end_word()
        found = _HARMLESS_REDIRECTION.match(self._text, self._at)
        if found is None:
            self.unclear.append(FILE)
            self._at += 1
        else:
            self._at = found.end()
