"""Keys that are only in a file of a run: the line on the screens, and the text of their dialog."""

from __future__ import annotations

from console.core.quantities import capital, counted
from console.core.runs.past.kept_keys import KeptKeys, all_in_words, counted_once
from console.tui.present.formatting import BOLD, DIM, NOTE, WARN, Lines, line, wrapped


def kept_lines(kept: tuple[KeptKeys, ...], width: int, *, names_cluster: bool = False) -> Lines:
    """One sentence, and the key that opens them. Empty: no keys are only in a file."""
    if not kept:
        return ()
    clusters = ", ".join(dict.fromkeys(one.cluster for one in kept))
    where = f"{clusters}: " if names_cluster else ""
    back = f"x shows how to bring {'it' if counted_once(kept) == 1 else 'them'} back"
    return wrapped(f"! {where}{all_in_words(kept)}: {back}", width, WARN, indent="  ", first="")


def information(kept: tuple[KeptKeys, ...], width: int) -> Lines:
    """The same about former values: nothing is to be done about what an operator has replaced."""
    if not kept:
        return ()
    return wrapped(f"{capital(all_in_words(kept))}: x shows where", width, DIM, indent="  ", first="")


def kept_keys_text(kept: KeptKeys, at: int, of: int, why_not: str, width: int) -> Lines:
    """Which keys, where they are, and the exact command; `why_not`: why the screen cannot run it now."""
    number = f"  ({at} of {of})" if of > 1 else ""
    them = "it" if kept.keys == 1 else "them"
    what = f"The other node lacks {them}, or has {them} with another value or time to live:"
    if kept.keys < kept.of:
        what = f"Of its {counted(kept.of, 'key')} the others have come back, or were equal, or have expired:"
    if kept.replaced:
        what = f"A replay has put other values there, as its operator typed. What {kept.node} had before is in:"
    return (
        *wrapped(f"{capital(kept.in_words)}{number}", width, f"{BOLD} {WARN}" if kept.reminds else BOLD),
        *wrapped(what, width),
        *wrapped(kept.file, width, indent="  "),
        line(""),
        *wrapped(
            "In a shell, this command shows type, size and expiry of both, and asks before it brings any back:", width
        ),
        *wrapped(kept.command, width, f"{BOLD} {NOTE}", indent="  "),
        line(""),
        *(wrapped(why_not, width, WARN) if why_not else wrapped(_HERE, width)),
        *wrapped(f"Say no more: {_FINAL if kept.why else ''}{_SAY_NO_MORE}", width, "" if kept.why else DIM),
    )


_FINAL = "where that was your last word. "
_SAY_NO_MORE = "The file stays, but no screen and no status names it any more."
_HERE = "Bring them back: the same command runs here, in place of the screen, which then comes back."
