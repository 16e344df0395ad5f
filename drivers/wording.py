"""The words of others in our messages."""

LONGEST_WORDS = 300


def one_line(text: str) -> str:
    """`text` fit for one line of a log: control characters gone, spaces single, not longer than 300 characters."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text[: 4 * LONGEST_WORDS]).split())
    return line if len(line) <= LONGEST_WORDS else line[: LONGEST_WORDS - 1] + "…"
