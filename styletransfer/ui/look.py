"""A look: the style and its settings, and how they are written into a link."""

import math
from dataclasses import asdict, dataclass
from urllib.parse import parse_qs, urlencode

MAX_STRENGTH = 1.5
LONGEST = 200  # characters of a name
REMEMBERED = 20  # looks that can be undone
SLIDERS = {"mix", "strength", "preserve_color"}


@dataclass(frozen=True)
class Look:
    """What the Stylise tab is set to.

    Args:
        package: Name of the package: its folder's, or its id on the Hub if it was fetched.
        style: Name of a style of the package, or of one that the visitor brought along.
        second: Name of another style that is mixed in, or None.
        mix: Share of the second style, from 0 to 1.
        strength: From 0, the photo, over 1, the style, to 1.5.
        preserve_color: How much of the photo's own colours to keep, from 0 to 1.
    """

    package: str
    style: str
    second: str | None = None
    mix: float = 0.5
    strength: float = 1.0
    preserve_color: float = 0.0

    def to_query(self) -> str:
        """The look as the query of a link.

        `Look("painter", "monet", strength=0.8).to_query()` is `package=painter&style=monet&strength=0.8`
        """
        values = {"package": self.package, "style": self.style, "strength": f"{self.strength:g}"}
        if self.second is not None:
            values |= {"second": self.second, "mix": f"{self.mix:g}"}
        if self.preserve_color:
            values["colour"] = f"{self.preserve_color:g}"
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
            preserve_color=number(values.get("colour"), 0.0, 1),
        )


def number(text: str | None, default: float, top: float) -> float:
    """The number in `text`, from 0 to `top`."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return default
    return min(max(value, 0.0), top) if math.isfinite(value) else default


def remember(history: tuple[Look, ...], look: Look) -> tuple[Look, ...]:
    """`history` with `look` at its end. However long a slider is dragged, that is one step to undo."""
    if history[-1:] == (look,):
        return history
    if len(history) > 1 and changes(*history[-2:]) == changes(history[-1], look) <= SLIDERS:
        history = history[:-1]
    return (*history, look)[-REMEMBERED:]


def changes(before: Look, after: Look) -> set[str]:
    return {name for name, value in asdict(before).items() if value != getattr(after, name)}
