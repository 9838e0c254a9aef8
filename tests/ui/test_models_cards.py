"""Cards and samples are a stranger's: nothing of them may run, or be fetched from anywhere."""

import re
import shutil

import pytest
from PIL import Image

from styletransfer.catalog import REPOSITORY, list_packages, read_package
from styletransfer.ui.cards import MAX_CARD, render
from styletransfer.ui.package_view import MAX_SAMPLES, view

EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/spy.gif'>",
    "![spy](https://evil.example/spy.gif)",
    "![spy](//evil.example/spy.gif 'title')",
    "![spy][1]\n\n[1]: https://evil.example/spy.gif",
    "[click](javascript:alert(1))",
    "[click](  JaVaScRiPt:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click](vbscript:x)",
    "[click](/gradio_api/file=/etc/passwd)",
    "[click](//evil.example)",
    "<javascript:alert(1)>",
    '[click](https://good.example/"onmouseover="alert(1))',
    "<iframe src=https://evil.example></iframe>",
    "<style>body { background: url(https://evil.example) }</style>",
    "text <b onclick=alert(1)>bold</b> <!-- comment --> <svg/onload=alert(1)>",
    "| a | b |\n|---|---|\n| <script>x</script> | ![x](https://evil.example) |",
]
OURS = re.compile(
    r"</?(p|h[1-6]|ul|ol|li|em|strong|code|pre|blockquote|table|thead|tbody|tr|th|td|hr ?/|br ?/|a)>"
    r'|<code class="language-[\w-]*">|<ol start="\d+">|<t[hd] style="text-align:\w+">'
    r'|<a href="https?://[^"<>\s]*" target="_blank" rel="noopener noreferrer nofollow">'
)


@pytest.mark.parametrize("text", EVIL)
def test_nothing_of_a_card_runs_or_is_fetched(text):
    assert not re.search("[<>]", OURS.sub("", render(text))), render(text)


def test_what_a_card_says_is_kept():
    html = render(
        "---\ntitle: x\nlicense: y\n---\n# Title\n\nText, *soft* and `code`.\n\n| a |\n|---|\n| 1 |\n\n[site](https://a.example)"
    )
    for piece in (
        "<h1>Title</h1>",
        "<em>soft</em>",
        "<code>code</code>",
        "<td>1</td>",
        'href="https://a.example" target="_blank"',
    ):
        assert piece in html
    assert "license" not in html
    assert "a &amp; b &lt;c&gt;" in render("a & b <c>")
    assert len(render("x" * 2 * MAX_CARD)) < MAX_CARD + 100


@pytest.mark.parametrize("package", list_packages(REPOSITORY / "model_cards"), ids=lambda package: package.name)
def test_the_cards_that_ship(package):
    html = view(package)
    assert package.title in html and "<table>" in html and "<h2>Limits</h2>" in html
    assert not re.search(r'(src|href)="(?!data:image/jpeg;base64,|https?://)', html)


def test_a_package_as_people_see_it(tiny_package):
    html = view(read_package(tiny_package))
    assert "<h3>Tiny</h3>" in html and "Paints photos in styles" in html and "<dd>apache-2.0</dd>" in html
    assert "<dd>alpha, beta</dd>" in html and html.count("<img ") == 3 and 'alt="photo-1"' in html
    assert str(tiny_package.parent) not in html


def test_front_matter_file_names_and_samples_are_a_strangers_too(tiny_package, tmp_path):
    folder = shutil.copytree(tiny_package, tmp_path / "package")
    (folder / "README.md").write_text("---\ntitle: <script>t</script>\nlicense: <img src=//evil.example>\n---\n")
    samples = folder / "samples"
    (samples / "<b>.jpg").write_bytes((samples / "alpha.jpg").read_bytes())
    (samples / "page.jpg").write_text("<html>")
    Image.new("1", (20_000, 20_000)).save(samples / "bomb.jpg", "png")
    html = view(read_package(folder))
    assert "<script" not in html and "<img src=//" not in html and "<b>" not in html
    assert html.count("<img ") == 4 and "page" not in html and "bomb" not in html
    for number in range(30):
        shutil.copy(samples / "alpha.jpg", samples / f"more-{number}.jpg")
    assert view(read_package(folder)).count("<figure>") <= MAX_SAMPLES


def test_a_sheet_is_shown_where_there_is_nothing_else(tiny_package, tmp_path):
    shutil.copytree(tiny_package, tmp_path / "tiny")
    samples = tmp_path / "tiny" / "samples"
    Image.new("RGB", (64, 64), "red").save(samples / "sheet.jpg")
    assert "<figcaption>sheet<" not in view(read_package(tmp_path / "tiny"))
    for path in set(samples.iterdir()) - {samples / "sheet.jpg"}:
        path.unlink()
    assert "<figcaption>sheet<" in view(read_package(tmp_path / "tiny"))
