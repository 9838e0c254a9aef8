"""`python -m styletransfer photo.jpg -o painting.png --style starry-night`: photos and folders of photos in, paintings out."""

import argparse
import io
import os
import sys
from pathlib import Path

from styletransfer.catalog import MODEL_CARDS, REPOSITORY, Package, check_style, find_package, list_packages, read_package
from styletransfer.command import answered, is_mishap, sentence
from styletransfer.files import write_bytes

PICTURES = {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}  # what folders are searched for
OUTPUTS = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f} of {total} [{elapsed}<{remaining}]"
OPAQUE = {".bmp", ".jpeg", ".jpg"}  # formats without transparency
NUMBERS = {  # option -> smallest, largest, default, words; styletransfer.pipelines.painting has them too, and costs torch
    "strength": (0, 1.5, 1.0, "0 leaves the photo, 1 is the style"),
    "tone": (0, 1, 0.5, "how far the photo's lightness moves to that of the style"),
    "color": (0, 1, 0.8, "how far its colours move to those of the style"),
    "brush": (0.5, 2, 1.0, "fine to broad strokes"),
    "size": (64, 2048, 384, "pixels of the shorter side at which strokes are painted"),
}
EXAMPLES = """examples:
  python -m styletransfer --list
  python -m styletransfer photo.jpg -o painting.png --style starry-night
  python -m styletransfer photo.jpg -o painting.png --style starry-night --strength 0.7 --color 0.5 --brush 2
  python -m styletransfer photo.jpg -o painting.png --style great-wave=0.5,water-lilies=0.5    mix styles
  python -m styletransfer photo.jpg -o painting.png --style guernica.jpg                       the style of any painting
  python -m styletransfer photo.jpg -o painting.png --style great-wave --mask sky.png          only where the mask is white
  python -m styletransfer holiday/ -o painted/ --style water-lilies                            a folder and all in it
  python -m styletransfer photo.jpg -o zebra.png --package runs/cyclegan/pipeline              what any preset trained
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m styletransfer",
        description="Turn photos into paintings, or into whatever a package makes of them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("photos", nargs="*", type=Path, metavar="PHOTO", help="pictures, or folders of them")
    add("-o", "--output", type=Path, help="picture to write, or a folder: for several photos, or for one under its own name")
    add(
        "-s",
        "--style",
        help="name of a style, a mixture such as great-wave=0.5,water-lilies=0.5, a painting, or a style file (.safetensors); "
        "may be left out where the package has one look",
    )
    for name, (least, most, default, words) in NUMBERS.items():
        add(f"--{name}", type=float, metavar="X", help=f"{words}, {least:g} to {most:g} (default: {default:g})")
    add("--mask", type=Path, help="picture of the photo's size: white is painted, black stays, grey blends")
    add("-p", "--package", metavar="P", help="folder or Hub id of a package (default: $STYLETRANSFER_PACKAGE, or painter)")
    add("--device", default="auto", help="cpu, cuda, ... (default: the graphics card if there is one)")
    add("--overwrite", action="store_true", help="replace pictures that exist; without it folders go on where they stopped")
    add("--list", action="store_true", help="list the packages here and their styles, or the styles of --package")
    return parser


def main(arguments: list[str] | None = None) -> int:
    options = build_parser().parse_args(arguments)
    return answered(lambda: work(options))


def work(options: argparse.Namespace) -> int:
    if options.list:
        show(options.package)
        return 0
    missing = [name for name, value in (("PHOTO", options.photos), ("-o", options.output)) if not value]
    if missing:
        raise ValueError(f"{' and '.join(missing)} must be given; --help shows examples")
    return run(options)


def show(package: str | None) -> None:
    """Print the styles of a package, or of all that lie in the repository."""
    packages = [local(find_package(package))] if package else list_packages(REPOSITORY / MODEL_CARDS)
    if not packages:
        raise ValueError(f"there are no packages in {REPOSITORY / MODEL_CARDS}")
    for entry in packages:
        print(f"{entry.name}: {entry.title}" if entry.title != entry.name else entry.name)
        width = max(map(len, entry.styles), default=0)
        for style, about in entry.styles.items():
            said = ", ".join(about[name] for name in ("title", "artist", "year") if about.get(name))
            print(f"  {style:{width}}  {said}".rstrip())


def local(package: Path | str) -> Package:
    if isinstance(package, str):
        from styletransfer.pipelines.loading import fetch

        package = fetch(package)
    return read_package(package)


def run(options: argparse.Namespace) -> int:
    # everything that can be wrong without a look at the pixels is found before the seconds that torch takes to import
    jobs = plan(options.photos, options.output)
    check_inputs(jobs, [Path(given).expanduser() for given in (options.style, options.mask) if given])
    alone = len(jobs) == 1
    if not options.overwrite:
        done = [target for _, target in jobs if target.exists()]
        if done and alone:
            raise ValueError(f"{done[0]} exists; --overwrite replaces it")
        jobs = [job for job in jobs if job[1] not in done]
        if done:
            print(f"{len(done)} of {len(done) + len(jobs)} are there already; --overwrite paints them anew")
        if not jobs:
            return 0
    found = find_package(options.package)
    package = local(found)
    if package.task.takes != "photo":
        raise ValueError(f"{package.name} is a {package.kind}, which turns no photo into a picture; the page shows what it makes")
    if options.style is not None:
        style = parse_style(options.style, package)
    elif len(package.looks) == 1:
        (style,) = package.looks
    else:
        raise ValueError(f"--style must be given: {', '.join(package.styles) or 'a painting or a style file'}")
    numbers = {name: value for name in NUMBERS if (value := getattr(options, name)) is not None}
    for name, value in numbers.items():
        least, most, *_ = NUMBERS[name]
        if name not in package.task.controls:
            controls = ", ".join(f"--{control}" for control in package.task.controls)
            raise ValueError(f"{package.name} has no --{name}, only {controls} and --mask")
        if not least <= value <= most:
            raise ValueError(f"--{name} must be from {least:g} to {most:g}, got {value:g}")
    if options.mask and not options.mask.is_file():
        raise FileNotFoundError(f"{options.mask} does not exist")

    import torch
    from tqdm import tqdm

    from styletransfer import load_pipeline, open_image

    device = ("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device
    pipe = load_pipeline(found, device=device)
    if isinstance(style, Path):
        style = pipe.load_style(style) if style.suffix == ".safetensors" else pipe.encode_style(open_image(style))
    pipe.resolve(style, numbers.get("strength", 1.0))  # weights that are wrong are one mistake, not one for each photo
    mask = open_image(options.mask) if options.mask else None
    failures = []
    # one bar, which moves within a photo too: big ones take a while to be enlarged
    bar = tqdm(total=len(jobs), desc="painting", bar_format=BAR, leave=not alone, disable=None, delay=2 if alone else 0)
    for number, (photo, output) in enumerate(jobs):

        def report(part: float, done: int = number) -> None:
            bar.update(done + part - bar.n)

        try:
            result = pipe(open_image(photo), style=style, mask=mask, progress=report, **numbers).images[0]
            save(result, output)
        except Exception as error:
            if alone or not is_mishap(error):
                raise
            failures.append(sentence(error) if str(photo) in str(error) else f"{photo}: {sentence(error)}")
            report(1)
    bar.close()
    print(jobs[0][1] if alone else f"{len(jobs) - len(failures)} of {len(jobs)} photos painted into {options.output}")
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if failures else 0


def plan(photos: list[Path], output: Path) -> list[tuple[Path, Path]]:
    """Which picture is written where."""
    for photo in photos:
        if not photo.exists():
            raise FileNotFoundError(f"{photo} does not exist")
    if len(photos) == 1 and photos[0].is_file() and output.suffix and not output.is_dir():
        jobs = [(photos[0], output)]
    else:
        if output.is_file() or output.suffix.lower() in PICTURES:
            raise ValueError(f"{output} must be a folder to take several paintings")
        jobs = []
        for photo in photos:
            found = [photo] if photo.is_file() else pictures_in(photo, leave_out=output)
            home = photo.parent if photo.is_file() else photo
            jobs += [(path, output / named(path.relative_to(home))) for path in found]
        if not jobs:
            raise ValueError(f"there are no pictures in {', '.join(str(photo) for photo in photos)}")
    taken = {}
    for photo, target in jobs:
        if target.suffix.lower() not in OUTPUTS:
            raise ValueError(f"{target} cannot be written: its name must end in one of {', '.join(sorted(OUTPUTS))}")
        if target in taken:
            raise ValueError(f"{taken[target]} and {photo} would both be written to {target}")
        taken[target] = photo
    return jobs


def check_inputs(jobs: list[tuple[Path, Path]], others: list[Path]) -> None:
    """Refuse to write over a photo, the painting or style file, or the mask."""
    existing = [target for _, target in jobs if target.exists()]
    given = {"the photo itself": [photo for photo, target in jobs if target in existing], "the style or the mask": others}
    for what, paths in given.items():
        files = {(stat.st_dev, stat.st_ino) for path in paths if path.is_file() for stat in [path.stat()]}
        for target in existing:
            if (target.stat().st_dev, target.stat().st_ino) in files:
                raise ValueError(f"{target} is {what}, which is never overwritten")


def pictures_in(folder: Path, leave_out: Path) -> list[Path]:
    # paintings of an earlier run may lie in a folder inside that of the photos
    inside = leave_out.resolve()
    found = (path for path in folder.rglob("*") if path.suffix.lower() in PICTURES and path.is_file())
    return sorted(path for path in found if inside == folder.resolve() or inside not in path.resolve().parents)


def named(path: Path) -> Path:
    """Name of a painting: that of its photo, with .png behind it where its own format cannot be written."""
    return path if path.suffix.lower() in OUTPUTS else path.with_name(path.name + ".png")


def parse_style(text: str, package: Package) -> str | dict[str, float] | Path:
    """The style that `text` asks for: a name, weights by name, or the path of a painting or of a style file."""
    styles = [*package.styles]
    if not package.task.any_painting:
        check_style(text, styles)
    if text in styles:
        return text
    path = Path(text).expanduser()
    if path.is_file():
        return path
    if path.suffix.lower() in PICTURES | {".safetensors"} or os.sep in text:
        raise FileNotFoundError(f"{text} does not exist; --style takes a picture or a style by name: {', '.join(styles)}")
    if "=" not in text:
        check_style(text, styles)
    weights = {}
    for part in text.split(","):
        name, _, weight = (piece.strip() for piece in part.partition("="))
        try:
            weights[name] = float(weight)
        except ValueError:
            raise ValueError(f"--style {text}: {part!r} must be a style and its weight, such as {styles[0]}=0.5") from None
        check_style(name, styles)
    return weights


def save(image, path: Path) -> None:
    from PIL import Image

    from styletransfer.images import on

    if path.suffix.lower() in OPAQUE:
        image = on(image, "white")
    data = io.BytesIO()  # Pillow does not notice where a disk took a part of what it wrote
    try:
        image.save(
            data, Image.registered_extensions()[path.suffix.lower()], quality=95, icc_profile=image.info.get("icc_profile")
        )
    except (ValueError, OSError) as error:
        raise ValueError(f"{path} cannot be written: {error}") from None
    write_bytes(path, data.getbuffer())


if __name__ == "__main__":
    sys.exit(main())
