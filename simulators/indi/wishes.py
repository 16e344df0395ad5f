"""What INDI's devices are to be set to."""

from dataclasses import dataclass
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A property of a device and the message that sets it: sent by a client, or saved in the driver's own settings."""

    device: str
    name: str
    message: str


def numbers(device: str, name: str, **values: float) -> Wish:
    """Wish for the numbers of a property."""
    inside = "".join(f"<oneNumber name='{element}'>{value!r}</oneNumber>" for element, value in values.items())
    message = f"<newNumberVector device='{device}' name='{name}'>{inside}</newNumberVector>\n"
    return Wish(device=device, name=name, message=message)


def texts(device: str, name: str, **values: str) -> Wish:
    """Wish for the texts of a property."""
    inside = "".join(f"<oneText name='{element}'>{escape(value)}</oneText>" for element, value in values.items())
    message = f"<newTextVector device='{device}' name='{name}'>{inside}</newTextVector>\n"
    return Wish(device=device, name=name, message=message)
