"""The platform's access token, from where only its owner can read it."""

import stat
from pathlib import Path

from pydantic import SecretStr

from bridge.errors import ConfigError


def read_token(file: Path) -> SecretStr:
    """The token in `file`.

    Raises:
        ConfigError: not there, readable by others, or not one word.
    """
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & 0o077:
            raise ConfigError(f"{file}: mode {mode:04o}: expected 0600, others can read the token: chmod 600 {file}")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{file}: {error.strerror}; expected the token in it, since [api] token_file names it"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: no text; expected the token alone") from None
    return one_word(text, str(file))


def one_word(text: str, where: str) -> SecretStr:
    """`text` without the white space around it; raises ConfigError, which does not hold it, if it is not one word."""
    word = text.strip()
    if not (word.isascii() and word.isprintable()) or " " in word:
        raise ConfigError(f"{where}: expected the token alone: one word of plain characters")
    return SecretStr(word)
