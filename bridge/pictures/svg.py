"""Pictures as SVG, written by hand: dark for the night, and in colours that everybody can tell apart.

The colours of lines and marks are those of Okabe and Ito (2008); no meaning hangs on colour alone.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from bridge.commands.printing import complain

GROUND, PANEL, RULE, DIM, TEXT = "#070b14", "#0c1322", "#22304a", "#7d8ba5", "#d7deea"
SKY_BLUE, ORANGE, GREEN, YELLOW, PINK, VERMILION, BLUE = (
    *("#56b4e9", "#e69f00", "#2fbf98", "#f0e442", "#cc79a7", "#e8702a", "#4f97d0"),
)
COLOURS = (SKY_BLUE, ORANGE, GREEN, YELLOW, PINK, VERMILION, BLUE)

Point = tuple[float, float]

_FONT = "Inter, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"


def document(width: int, height: int, title: str, content: Iterable[str]) -> str:
    """A whole picture."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{_FONT}" font-size="13" role="img">\n<title>{escape(title)}</title>\n'
        f'<rect width="100%" height="100%" fill="{GROUND}"/>\n' + "\n".join(content) + "\n</svg>\n"
    )


def line(points: Sequence[Point], colour: str, width: float = 1.5, *, dash: str = "", opacity: float = 1.0) -> str:
    """A line through points."""
    along = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{along}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed} '
        f'stroke-linecap="round" stroke-linejoin="round" opacity="{opacity:g}"/>'
    )


def disc(at: Point, radius: float, colour: str, *, opacity: float = 1.0) -> str:
    """A filled circle."""
    return f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:g}" fill="{colour}" opacity="{opacity:g}"/>'


def ring(at: Point, radius: float, colour: str, width: float = 1.0, *, dash: str = "") -> str:
    """A circle."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:.1f}" fill="none" stroke="{colour}" '
        f'stroke-width="{width:g}"{dashed}/>'
    )


def box(corner: Point, width: float, height: float, colour: str, *, rounded: float = 0.0, opacity: float = 1.0) -> str:
    """A filled rectangle."""
    return (
        f'<rect x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{rounded:g}" '
        f'fill="{colour}" opacity="{opacity:g}"/>'
    )


def words(
    at: Point, text: str, colour: str = TEXT, *, size: float = 13, anchor: str = "start", bold: bool = False
) -> str:
    """A text whose base line begins, ends or has its middle (`anchor`) at a point."""
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" fill="{colour}" font-size="{size:g}" text-anchor={quoteattr(anchor)}'
        f"{weight}>{escape(_shown(text))}</text>"
    )


def hinted(hint: str, content: Iterable[str]) -> str:
    """Content that says more when pointed at."""
    return f"<g><title>{escape(_shown(hint))}</title>{''.join(content)}</g>"


def write(path: Path, picture: str) -> int:
    """Write a picture; 1, with the reason said, where that fails."""
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        complain(f"{path}: {error.strerror}")
        return 1
    return 0


def _shown(text: str) -> str:
    """Without signs that XML forbids: a name may come from anywhere."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
