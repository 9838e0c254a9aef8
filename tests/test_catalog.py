import json
import logging
import shutil
from dataclasses import replace

import pytest

from styletransfer import catalog
from styletransfer.catalog import check_style, find_package, list_packages, read_package
from styletransfer.styles import Style

# of nine levels, which would be 10^9 words
BOMB = (
    "---\na0: &a0 [word]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    + "title: *a9\n---\n"
)


def test_a_package_is_read_from_its_card_and_headers(tiny_package):
    (package,) = list_packages(tiny_package.parent)
    assert (package.path, package.name, package.title) == (tiny_package, "tiny", "Tiny")
    assert package.kind == "StyleTransferPipeline" and list(package.styles) == ["alpha", "beta"]
    about = {"title": "The Bridge", "artist": "Nobody", "year": "1900"}
    assert package.styles["alpha"].items() >= about.items() and "title" not in package.styles["beta"]
    assert [sample.name for sample in package.samples] == ["alpha.jpg", "beta.jpg", "photo-1.jpg"]
    assert package.thumbnail("beta") == tiny_package / "samples" / "beta.jpg" and package.thumbnail("gamma") is None
    assert package.card["license"] == "apache-2.0"


def test_a_card_is_not_needed(tiny_package, tmp_path):
    package = tmp_path / "plain"
    shutil.copytree(tiny_package, package)
    for text in ("", "# Only a heading\n", "---\nnever closed: true\n"):
        (package / "README.md").write_text(text)
        assert read_package(package).title == "plain"
    (package / "README.md").unlink()
    shutil.rmtree(package / "samples")
    assert read_package(package).samples == () and list(read_package(package).styles) == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("README.md", "---\ntitle: [\n---\n", "front matter of .*README.md is not valid YAML"),
        ("README.md", "---\njust words\n---\n", "must be a mapping, got str"),
        ("README.md", BOMB, "aliases are not read"),
        ("README.md", "---\ntitle: " + "[" * 5000 + "\n---\n", "is not valid YAML"),
        ("README.md", "---\ntitle: " + "a" * 1_000_001 + "\n---\n", "is too large"),
        ("model_index.json", " " * 1_000_001, "is too large"),
        ("model_index.json", "{", "model_index.json is not valid JSON"),
        ("model_index.json", "[]", "must hold a JSON object, got list"),
        ("model_index.json", "{}", "does not name a pipeline class"),
        ("styles/beta.safetensors", "<html>", "styles/beta.safetensors is not a readable safetensors file"),
        ("styles/beta.safetensors", "", "not a readable safetensors file"),
    ],
)
def test_a_broken_package_is_named_and_the_others_are_listed(file, content, message, tiny_package, tmp_path, caplog):
    for name in ("broken", "good"):
        shutil.copytree(tiny_package, tmp_path / name)
    (tmp_path / "broken" / file).write_text(content)
    with pytest.raises(ValueError, match=message):
        read_package(tmp_path / "broken")
    with caplog.at_level(logging.WARNING):
        assert [package.name for package in list_packages(tmp_path)] == ["good"]
    assert "broken" in caplog.text


@pytest.mark.parametrize(("title", "shown"), [("[1, 2]", "plain"), ("' '", "plain"), ("x" * 999, "x" * 200)])
def test_a_title_is_a_short_text(title, shown, tiny_package, tmp_path):
    shutil.copytree(tiny_package, tmp_path / "plain")
    (tmp_path / "plain" / "README.md").write_text(f"---\ntitle: {title}\n---\n")
    assert read_package(tmp_path / "plain").title == shown


def test_folders_without_packages_are_empty(tmp_path):
    (tmp_path / "notes").mkdir()
    assert list_packages(tmp_path) == [] and list_packages(tmp_path / "none") == []
    with pytest.raises(FileNotFoundError, match=r"notes is not a style package: it has no model_index\.json"):
        read_package(tmp_path / "notes")


def test_a_misspelt_style_is_answered_with_the_one_that_was_meant():
    check_style("monet", ["monet", "ukiyo-e"])
    with pytest.raises(ValueError, match="there is no style 'Ukiyoe', only monet, ukiyo-e; did you mean ukiyo-e"):
        check_style("Ukiyoe", ["monet", "ukiyo-e"])
    with pytest.raises(ValueError, match=r"only monet$"):
        check_style("zzz", ["monet"])


def test_packages_are_found_by_path_by_name_and_by_environment(tiny_package, tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "REPOSITORY", tmp_path)
    shutil.copytree(tiny_package, tmp_path / "model_cards" / "painter")
    monkeypatch.delenv("STYLETRANSFER_PACKAGE", raising=False)
    assert find_package() == find_package("painter") == tmp_path / "model_cards" / "painter"
    assert find_package(str(tiny_package)) == tiny_package
    assert find_package("user/name") == "user/name"
    monkeypatch.setenv("STYLETRANSFER_PACKAGE", str(tiny_package))
    assert find_package() == tiny_package


def test_the_header_is_that_of_the_library(tiny_package):
    from safetensors import safe_open

    path = tiny_package / "styles" / "alpha.safetensors"
    with safe_open(path, "np") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    header = catalog.read_header(path)
    assert header.pop("__metadata__") == metadata
    assert {name: entry["shape"] for name, entry in header.items()} == shapes
    assert catalog.read_index(tiny_package)["_class_name"] == "StyleTransferPipeline"


def test_a_nested_header_is_refused(tmp_path):
    path = tmp_path / "nested.safetensors"
    path.write_bytes((500_000).to_bytes(8, "little") + b'{"a":' * 100_000)
    with pytest.raises(ValueError, match=r"nested\.safetensors is not a readable safetensors file"):
        catalog.read_header(path)


@pytest.mark.parametrize("about", [5, [], {"name": ["x"]}, {"name": "x", "title": None}])
def test_what_a_header_says_must_be_text(about, tmp_path):
    header = json.dumps({"__metadata__": about}).encode()
    (tmp_path / "x.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        catalog.read_header(tmp_path / "x.safetensors")


def test_the_oldest_painting_comes_first(tiny_package, tmp_path):
    package = shutil.copytree(tiny_package, tmp_path / "package")
    beta = Style.load(package / "styles" / "beta.safetensors")
    for name, said in (("wave", "c. 1831"), ("zodiac", "1896-1897"), ("undated", "unknown")):
        replace(beta, name=name, about={"year": said}).save(package / "styles" / f"{name}.safetensors")
    assert list(read_package(package).styles) == ["wave", "zodiac", "alpha", "beta", "undated"]


def test_the_cover_comes_before_the_oldest(tiny_package, tmp_path):
    package = tmp_path / "package"
    shutil.copytree(tiny_package, package)
    for cover, styles in (("beta", ["beta", "alpha"]), ("gone", ["alpha", "beta"]), ("[beta]", ["alpha", "beta"])):
        (package / "README.md").write_text(f"---\ncover: {cover}\n---\n")
        assert list(read_package(package).styles) == styles


def test_what_a_stranger_says_is_cut_short(tiny_package, tmp_path):
    package = shutil.copytree(tiny_package, tmp_path / "package")
    about = {"name": "loud", "title": "x" * 900_000} | {f"field {number}": "y" for number in range(50)}
    header = json.dumps({"__metadata__": about}).encode()
    (package / "styles" / "loud.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    said = read_package(package).styles["loud"]
    assert len(said) <= 10 and len(said["title"]) == 300
    (package / "README.md").write_text("---\na: [" + "b," * 5000 + "]\n---\n")
    with pytest.raises(ValueError, match="has 10006 characters, and at most 10000 are read"):
        read_package(package)
