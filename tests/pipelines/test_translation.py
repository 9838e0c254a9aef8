import ast
import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer import TranslationPipeline, load_pipeline, memory
from styletransfer.images import to_pil, to_tensor
from styletransfer.models.domain_generator import DomainGenerator
from styletransfer.models.resnet_generator import ResnetGenerator
from styletransfer.models.upscale_generator import UpscaleGenerator
from styletransfer.pipelines import translation
from tests.conftest import picture


@pytest.fixture
def translator() -> ResnetGenerator:
    torch.manual_seed(0)
    return ResnetGenerator(base_channels=4, num_blocks=1).eval()


@pytest.fixture
def pipe(translator) -> TranslationPipeline:
    return TranslationPipeline(translator)


@pytest.fixture
def many() -> TranslationPipeline:
    torch.manual_seed(0)
    return TranslationPipeline(DomainGenerator(num_domains=2, base_channels=4, num_blocks=1).eval(), ["plain", "ink"])


def test_it_is_the_network_between_pictures(pipe, translator):
    made = pipe(picture(), output_type="pt").images[0]
    with torch.no_grad():
        torch.testing.assert_close(made, translator(to_tensor(picture()))[0] / 2 + 0.5, rtol=0, atol=1e-6)
    assert np.allclose(pipe(picture(), output_type="np").images[0], made.permute(1, 2, 0), rtol=0, atol=0)
    painted = pipe(picture()).images[0]
    assert painted.size == picture().size and painted.mode == "RGB"
    assert np.abs(np.asarray(painted) / 255 - made.permute(1, 2, 0).numpy()).max() <= 0.51 / 255
    assert pipe(picture(), return_dict=False)[0][0].size == picture().size


def test_strength_fades_from_the_photo_to_the_result(pipe):
    photo, half, full = (pipe(picture(), strength=strength, output_type="pt").images[0] for strength in (0, 0.5, 1))
    assert np.array_equal(pipe(picture(), strength=0).images[0], picture())
    assert (full - photo).abs().mean() > 0.05
    torch.testing.assert_close(half, (photo + full) / 2, rtol=0, atol=1e-6)
    more = pipe(picture(), strength=1.5, output_type="pt").images[0]  # the same way on, as far as there are colours
    torch.testing.assert_close(more, (photo + 1.5 * (full - photo)).clamp(0, 1), rtol=0, atol=1e-6)


def test_where_the_mask_is_black_the_photo_stays(pipe):
    mask = Image.new("L", (70, 65))
    mask.paste(255, (0, 0, 30, 65))
    mask.paste(128, (30, 0, 40, 65))
    masked, whole, photo = (
        np.asarray(image, int) for image in (pipe(picture(), mask=mask).images[0], pipe(picture()).images[0], picture())
    )
    assert np.array_equal(masked[:, :30], whole[:, :30]) and np.array_equal(masked[:, 40:], photo[:, 40:])
    assert np.abs(masked - (whole + photo) / 2)[:, 30:40].max() <= 1.5


def test_a_photo_is_turned_as_its_exif_says(pipe, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture((70, 40)).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "turned.jpg") as photo:
        assert pipe(photo).images[0].size == (40, 70)


def test_progress_is_told_photo_by_photo(pipe):
    parts = []
    pipe([picture(), picture()], progress=parts.append)
    assert parts == [0.5, 1.0]


def test_pictures_of_any_size_and_mode(pipe):
    pictures = [picture((33, 7)), picture((1, 1)), picture((70, 40), mode="L")]
    assert [made.size for made in pipe(pictures).images] == [(33, 7), (1, 1), (70, 40)]
    clear = picture((20, 30), mode="RGBA")
    clear.putalpha(Image.linear_gradient("L").resize((20, 30)))
    assert np.array_equal(pipe(clear).images[0].getchannel("A"), clear.getchannel("A"))


def test_domains(many, tmp_path):
    assert many.styles == ["plain", "ink"]
    plain, ink = (many(picture(), style=style, output_type="pt").images[0] for style in many.styles)
    assert (plain - ink).abs().mean() > 1e-3
    many.save_pretrained(tmp_path)
    loaded = load_pipeline(tmp_path)
    assert loaded.styles == ["plain", "ink"]
    torch.testing.assert_close(loaded(picture(), "ink", output_type="pt").images[0], ink, rtol=0, atol=1e-6)
    for style in (None, "inc"):
        with pytest.raises(ValueError, match=f"style must be one of plain, ink; got {style!r}"):
            many(picture(), style=style)
    with pytest.raises(TypeError, match="which do not mix; style must be a name"):
        many(picture(), style={"plain": 0.5, "ink": 0.5})


def test_enlargement():
    torch.manual_seed(0)
    pipe = TranslationPipeline(UpscaleGenerator(base_channels=4, num_blocks=1, scale=2).eval())
    clear = picture((20, 9), mode="RGBA")
    clear.putalpha(Image.linear_gradient("L").resize((20, 9)))
    made = pipe(clear).images[0]
    assert made.size == (40, 18) and made.getchannel("A").getextrema() > (0, 0)
    plain = picture((20, 9)).resize((40, 18), Image.Resampling.BICUBIC)
    assert np.array_equal(pipe(picture((20, 9)), strength=0).images[0], plain)
    mask = Image.new("L", (20, 9))
    mask.paste(255, (0, 0, 10, 9))
    masked, whole = (np.asarray(pipe(picture((20, 9)), **where).images[0]) for where in ({"mask": mask}, {}))
    assert np.array_equal(masked[:, :20], whole[:, :20]) and np.array_equal(masked[:, 20:], np.asarray(plain)[:, 20:])


def test_a_large_picture_is_enlarged_in_tiles():
    torch.manual_seed(0)
    network = UpscaleGenerator(base_channels=4, num_blocks=1, scale=2).eval()
    made = np.asarray(TranslationPipeline(network)(picture((200, 140))).images[0], int)
    with torch.no_grad():
        whole = np.asarray(to_pil(network(to_tensor(picture((200, 140))))), int)
    assert np.abs(made - whole).max() <= 1


def test_the_only_domain_need_not_be_named():
    pipe = TranslationPipeline(DomainGenerator(num_domains=1, base_channels=4, num_blocks=1).eval(), ["ink"])
    assert np.array_equal(pipe(picture()).images[0], pipe(picture(), "ink").images[0])


def test_saving_what_was_loaded_gives_the_same_files(many, tmp_path):
    many.save_pretrained(tmp_path / "first")
    index = json.loads((tmp_path / "first" / "model_index.json").read_text())
    assert index.pop("_diffusers_version")
    assert index == {
        "_class_name": ["pipeline", "TranslationPipeline"],
        "auto_map": {"AutoModel": "network.DomainGenerator"},
        "translator": ["styletransfer.models.domain_generator", "DomainGenerator"],
        "domains": {"plain": 0, "ink": 1},
    }
    load_pipeline(tmp_path / "first").save_pretrained(tmp_path / "second")
    files = sorted(path.relative_to(tmp_path / "first") for path in (tmp_path / "first").rglob("*.*"))
    assert [str(file) for file in files] == [
        "model_index.json",
        "pipeline.py",
        "translator/config.json",
        "translator/diffusion_pytorch_model.safetensors",
        "translator/network.py",
        "translator/styletransfer.models.domain_generator.py",
    ]
    for path in files:
        assert (tmp_path / "second" / path).read_bytes() == (tmp_path / "first" / path).read_bytes(), path


def test_packages_of_before_load(many, tmp_path):
    """They hold no code, the name of their class alone, and their domains as a list."""
    many.save_pretrained(tmp_path)
    for code in tmp_path.rglob("*.py"):
        code.unlink()
    index = {
        "_class_name": "TranslationPipeline",
        "_diffusers_version": "0.42.1",
        "translator": ["styletransfer.models.domain_generator", "DomainGenerator"],
        "domains": ["plain", "ink"],
    }
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    assert load_pipeline(tmp_path).styles == ["plain", "ink"]


def test_many_domains_keep_their_order(tmp_path):
    names = [f"domain {10 - number}" for number in range(11)]
    TranslationPipeline(DomainGenerator(num_domains=11, base_channels=4, num_blocks=1), names).save_pretrained(tmp_path)
    assert load_pipeline(tmp_path).styles == names


def test_the_code_in_a_package_needs_nothing_of_the_house(pipe, many, tmp_path):
    for number, package in enumerate((pipe, many)):
        package.save_pretrained(tmp_path / str(number))
    codes = [path.read_text() for path in tmp_path.rglob("*.py")]
    assert len(codes) == 6 and sum(map(len, codes)) < 60_000
    for code in codes:
        found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in found}
        roots = {name.split(".")[0] for name in names} - sys.stdlib_module_names
        assert "torch" in roots <= {"torch", "diffusers", "numpy", "PIL"}


def test_half_precision(pipe, tmp_path):
    pipe.save_pretrained(tmp_path)
    half = load_pipeline(tmp_path, dtype=torch.bfloat16)
    assert half.translator.dtype == torch.bfloat16 and not half.translator.training
    exact, rounded = (p(picture(), output_type="pt").images[0] for p in (pipe, half))
    assert rounded.dtype == torch.float32 and 0 < (exact - rounded).abs().mean() < 0.02


def test_every_translator_of_the_table_loads_as_a_package(tmp_path):
    from tests.tiny import NETWORKS

    rows = {name: row for name, row in NETWORKS.items() if row.network in TranslationPipeline.networks}
    assert len(rows) >= 10
    for name, row in rows.items():
        names = ["a", "b", "c"][: row.arguments.get("num_domains", 0)]
        TranslationPipeline(row.build().eval(), names).save_pretrained(tmp_path / name)
        pipe = load_pipeline(tmp_path / name)
        assert type(pipe.translator) is row.network
        width, height = pipe(picture(), names[0] if names else None).images[0].size
        assert (width, height) == (70 * pipe.scale, 65 * pipe.scale)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": 1.6}, "strength must be a number from 0 to 1.5, got 1.6"),
        ({"strength": float("nan")}, "strength must be a number"),
        ({"output_type": "latent"}, "output_type must be one of pil, np, pt, got 'latent'"),
        ({"style": "ink"}, "style must be left out, as this network has one look; got 'ink'"),
        ({"mask": picture((20, 20))}, "the mask must have the size of its photo, got 20 x 20 and 70 x 65"),
        ({"mask": [picture(), picture()]}, "there must be one mask for each of 1 photos, or a single one, got 2"),
        ({"image": []}, "image is an empty list"),
    ],
)
def test_wrong_calls_are_refused(pipe, options, message):
    with pytest.raises(ValueError, match=message):
        pipe(**{"image": picture(), **options})


@pytest.mark.parametrize(
    "domains",
    [None, [], ["a"], ["a", "a"], "ab", ["a", 3], {"a": 1, "b": 2}, {"a": 0, "b": 0}, {"a": 0, "b": []}, [["a"], ["b"]], 2],
)
def test_domains_must_be_as_many_different_names_as_the_network_knows(domains):
    with pytest.raises(ValueError, match="domains"):
        TranslationPipeline(DomainGenerator(num_domains=2, base_channels=4, num_blocks=1), domains)


def test_one_look_has_no_domains(translator):
    with pytest.raises(ValueError, match="ResnetGenerator of 0 domains"):
        TranslationPipeline(translator, ["ink"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"translator": ["os", "system"]}, r"must give one of ResnetGenerator, .* as translator, got \['os', 'system'\]"),
        ({"translator": ["styletransfer.models.style_encoder", "StyleEncoder"]}, "must give one of ResnetGenerator"),
        ({"translator": None}, "as translator, got None"),
        ({"domains": 7}, "domains must be a list of different names, got 7"),
        ({"pipe": ["os", "system"]}, "has options that a TranslationPipeline does not take: pipe"),
    ],
)
def test_wrong_packages_are_refused(pipe, changes, message, tmp_path):
    pipe.save_pretrained(tmp_path)
    index = tmp_path / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | changes))
    with pytest.raises(ValueError, match=message):
        load_pipeline(tmp_path)


def test_a_picture_that_the_network_has_no_memory_for_is_refused(monkeypatch):
    pipe = TranslationPipeline(ResnetGenerator(base_channels=4, num_blocks=1))
    monkeypatch.setattr(memory, "free_memory", lambda: memory.WORKING + 4000 * translation.PER_PIXEL)
    photo = Image.new("RGB", (70, 65))
    with pytest.raises(ValueError, match=r"memory that is free: 70 x 65 pixels, at most 0\.0 megapixels fit; shrink it"):
        pipe(photo)
    assert pipe(photo, strength=0).images[0].size == (70, 65)
    monkeypatch.setattr(memory, "free_memory", lambda: memory.WORKING + 5000 * translation.PER_PIXEL)
    assert pipe(photo).images[0].size == (70, 65)
