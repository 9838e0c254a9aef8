"""The gallery of the Stylise tab: which styles there are, what they are called, and their thumbnails."""

import base64
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from gradio.i18n import I18nData
from PIL import Image, ImageOps

from styletransfer.catalog import Package
from styletransfer.ui.visitor import Choice, Visitor
from styletransfer.ui.words import WORDS, say

THUMBNAIL = 128  # pixels of a side: three dozen are painted in one and a half seconds on one core
LONGEST = 80  # characters of a title or an artist: a file may say anything
ALL, YOURS = "all", "yours"  # groups of the wall beside those that the styles name


def for_photos(packages: Sequence[Package]) -> list[Package]:
    """Those of `packages` that turn photos into pictures, each once."""
    return [*{package.path: package for package in packages if package.task.takes == "photo"}.values()]


def painters(packages: Sequence[Package]) -> list[Package]:
    """Those of `packages` that take the style of any painting, each once."""
    return [package for package in for_photos(packages) if package.task.any_painting]


def choices(catalog: Sequence[Package], visitor: Visitor) -> dict[str, Choice]:
    """Every style there is for `visitor`, by a key of its own: its name or, where that is taken, its name and its package's."""
    found: dict[str, Choice] = {}
    for package in for_photos([*catalog, *visitor.packages]):
        for choice in (Choice(package, look) for look in package.looks):
            found[choice.name if choice.name not in found else f"{package.name}/{choice.name}"] = choice
    for choice in visitor.styles:
        found[choice.name if choice.name not in found else f"{choice.name}/{len(found)}"] = choice
    return found


def labels(styles: Mapping[str, Choice]) -> list[tuple[str | I18nData, str]]:
    """What the gallery shows for each of `styles`, and its key. A key that is more than a name shows its package as well."""
    return [
        (label(choice) if "/" not in key else f"{title(choice)} ({choice.package.title})", key) for key, choice in styles.items()
    ]


def group(choice: Choice) -> str:
    """What `choice` hangs with; what a visitor brought along hangs together."""
    return choice.about.get("group", "")[:LONGEST].strip() if choice.own else YOURS


def groups(styles: Mapping[str, Choice]) -> list[tuple[str | I18nData, str]]:
    """What the groups of `styles` are called, and their keys, the largest first; nothing where there is only one."""
    sizes = Counter(group(choice) for choice in styles.values() if group(choice))
    found = [name for name, _ in sizes.most_common()]
    words = {name: "group_" + re.sub(r"\W+", "-", name).lower() for name in found}
    names = [(say(words[name]) if words[name] in WORDS else name, name) for name in found]
    return [(say("stylise_all"), ALL), *names] if len(found) > 1 else []


def label(choice: Choice) -> str | I18nData:
    """A style's title for people, translated where the painting is well known."""
    key = f"style_{choice.name}"
    known = key in WORDS and choice.about.get("title", WORDS[key][0]) == WORDS[key][0]
    return say(key) if known else title(choice)


def title(choice: Choice) -> str:
    """The title of its painting; else, and for what a visitor named, its name: `my-style` is My Style, `x-y` stays X-y."""
    if choice.own and (stated := choice.about.get("title", "")[:LONGEST].strip()):
        return stated
    return " ".join(word[:1].upper() + word[1:] for word in re.split(r"[\s_]+|-(?=\w\w)", choice.name))


def bylines(choice: Choice) -> tuple[str, str]:
    """Artist and year of its painting, in English and in Chinese; empty where nothing is known."""
    artist, year = (choice.about.get(name, "")[:LONGEST].strip() for name in ("artist", "year"))
    key = "artist_" + re.sub(r"\W+", "-", artist).lower()
    english, chinese = WORDS.get(key, (artist, artist))
    year_in_chinese = re.sub(r"^(c\.|ca\.|about) ?", "约 ", year)
    return ", ".join(filter(None, (english, year))), "，".join(filter(None, (chinese, year_in_chinese)))


def data_url(image: Image.Image) -> str:
    """A square JPEG of the middle of `image`."""
    data = io.BytesIO()
    ImageOps.fit(image.convert("RGB"), (THUMBNAIL, THUMBNAIL)).save(data, "jpeg", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


def cards_css(styles: Mapping[str, Choice], thumbnails: Mapping[str, str | None]) -> str:
    """Thumbnails, bylines and groups of the radio buttons, which keep their labels, their focus and the keyboard."""
    rules = []
    for key, choice in styles.items():
        label_of = f"label:has(input[value={css_string(key)}])"
        card = f".cards {label_of}"
        others = f'input:checked:not([value="{ALL}"], [value={css_string(group(choice))}])'
        rules.append(f"#stylise:has(#groups {others}) #style {label_of} {{ display: none; }}")
        if thumbnails.get(key):
            rules.append(f"{card}::before {{ background-image: url({thumbnails[key]}); }}")
        for language, byline in zip(("", ":lang(zh)"), bylines(choice), strict=True):
            if byline:
                rules.append(f"{card}{language}::after {{ content: {css_string(byline)}; }}")
    return f"<style>{''.join(rules)}</style>"


def css_string(text: str) -> str:
    # names come from files of strangers: whatever could end the string, the rule or the element is escaped
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text) + '"'
