"""A look: the style and its settings, and how they are written into a link."""

import math
from dataclasses import asdict, dataclass
from urllib.parse import parse_qs, urlencode

# as `StyleTransferPipeline` has them, which costs torch to import
MAX_STRENGTH = 1.5
BRUSHES = (0.5, 2.0)
TONE, COLOR = 0.5, 0.8
LONGEST = 200  # characters of a name
REMEMBERED = 20  # looks that can be undone
IN_LINKS = {"brush": "brush", "tone": "tone", "color": "colour"}  # what a link says only where it is not as usual
SLIDERS = {"mix", "strength", "brush", "tone", "color"}


@dataclass(frozen=True)
class Look:
    """What the Stylise tab is set to.

    Args:
        package: Name of the package: its folder's, or its id on the Hub if it was fetched.
        style: Name of a style of the package, or of one that the visitor brought along.
        second: Name of another style that is mixed in, or None.
        mix: Share of the second style, from 0 to 1.
        strength: From 0, the photo, over 1, the style, to 1.5.
        brush: Size of the strokes, from 0.5, fine, to 2, broad.
        tone: How far the photo's lightness moves to that of the style, from 0 to 1.
        color: How far its colours do.
    """

    package: str
    style: str
    second: str | None = None
    mix: float = 0.5
    strength: float = 1.0
    brush: float = 1.0
    tone: float = TONE
    color: float = COLOR

    def to_query(self) -> str:
        """The look as the query of a link.

        `Look("painter", "irises", strength=0.8).to_query()` is `package=painter&style=irises&strength=0.8`
        """
        values = {"package": self.package, "style": self.style, "strength": f"{self.strength:g}"}
        if self.second is not None:
            values |= {"second": self.second, "mix": f"{self.mix:g}"}
        usual = Look(self.package, self.style)
        for name, here in IN_LINKS.items():
            if getattr(self, name) != getattr(usual, name):
                values[here] = f"{getattr(self, name):g}"
        return urlencode(values)

    @classmethod
    def from_query(cls, query: str) -> "Look":
        """The look of a link. What is missing is as at first, what is out of range is brought into it, and junk is left out."""
        values = {name: found[-1][:LONGEST] for name, found in parse_qs(query).items()}
        return cls(
            package=values.get("package", ""),
            style=values.get("style", ""),
            second=values.get("second"),
            mix=number(values.get("mix"), 0.5, 1),
            strength=number(values.get("strength"), 1.0, MAX_STRENGTH),
            brush=number(values.get("brush"), 1.0, BRUSHES[1], BRUSHES[0]),
            tone=number(values.get("tone"), TONE, 1),
            color=number(values.get("colour"), COLOR, 1),
        )


def number(text: str | None, default: float, top: float, bottom: float = 0.0) -> float:
    """The number in `text`, from `bottom` to `top`."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return default
    return min(max(value, bottom), top) if math.isfinite(value) else default


def remember(history: tuple[Look, ...], look: Look) -> tuple[Look, ...]:
    """`history` with `look` at its end. However long a slider is dragged, that is one step to undo."""
    if history[-1:] == (look,):
        return history
    if len(history) > 1 and changes(*history[-2:]) == changes(history[-1], look) <= SLIDERS:
        history = history[:-1]
    return (*history, look)[-REMEMBERED:]


def changes(before: Look, after: Look) -> set[str]:
    return {name for name, value in asdict(before).items() if value != getattr(after, name)}
