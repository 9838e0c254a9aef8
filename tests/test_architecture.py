"""Imports run one way. The lines are those of the design; a new file joins a line here or the test names it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# later lines may import earlier ones, and files of one line each other
LEVELS = [
    ["styletransfer.models.layers", "styletransfer.tasks"],
    ["styletransfer.models"],
    ["styletransfer.color", "styletransfer.styles", "styletransfer.tiling", "styletransfer.images", "styletransfer.sheet"],
    ["styletransfer.pipelines", "styletransfer.catalog", "styletransfer.video", "styletransfer.convert", "styletransfer.upload"],
    ["styletransfer.ui", "styletransfer.__main__", "styletransfer.space", "styletransfer.export_onnx"],
    ["app"],
]
TRAINER_PARTS = [
    "average",
    "config",
    "curves",
    "doctor",
    "history",
    "players",
    "preset",
    "processes",
    "push",
    "recipe",
    "signals",
    "state",
    "trackers",
    "validation",
]
ONLY = {
    # what files of a package may import of the house
    "training.losses": {"training.losses", "styletransfer.models.features"},
    "training.trainer": {f"training.{name}" for name in TRAINER_PARTS},
    "training.doctor": {"training.recipe"},
    "training.recipe": {"training.losses", "training.pool"},
    "training.steps": {"training.recipe", "training.steps", "training.losses"},
    "styletransfer.models": {"styletransfer.models.layers", "styletransfer.models.network"},
    "styletransfer.catalog": {"styletransfer.tasks"},
}


def modules() -> dict[str, Path]:
    files = [*ROOT.glob("app.py"), *ROOT.glob("styletransfer/**/*.py"), *ROOT.glob("training/**/*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imports(path: Path) -> set[str]:
    """Modules that a file imports anywhere, also inside its functions; `from a import b` counts as a.b where that is a module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (names & MODULES.keys()) or {node.module}
    return found


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def level(module: str) -> int:
    levels = [number for number, packages in enumerate(LEVELS) if any(within(module, package) for package in packages)]
    assert levels, f"{module} is on no line of the design"
    return levels[0]


MODULES = modules()
IMPORTS = {module: imports(path) for module, path in MODULES.items()}
HOUSE = {module for module in MODULES if module == "app" or module.startswith("styletransfer.")}


@pytest.mark.parametrize("module", sorted(HOUSE))
def test_imports_run_one_way(module):
    for imported in IMPORTS[module] & HOUSE:
        assert level(imported) <= level(module), f"{module} imports {imported}"


def test_the_front_door_imports_nothing():
    assert not any(name.startswith(("styletransfer", "torch", "diffusers")) for name in IMPORTS["styletransfer"])


def test_the_library_knows_neither_training_nor_accelerate_nor_outside_of_its_pages_gradio():
    for module in sorted(HOUSE - {"app"}):
        roots = {name.split(".")[0] for name in IMPORTS[module]}
        from_torchvision = module in {"styletransfer.models.features", "styletransfer.models.backbone_discriminator"}
        strangers = {"training", "accelerate", "tests", "benchmarks"} | (set() if from_torchvision else {"torchvision"})
        assert not roots & strangers, module
        if not within(module, "styletransfer.ui"):
            assert "gradio" not in roots, module


def test_training_knows_no_pages():
    for module in sorted(module for module in MODULES if within(module, "training")):
        assert not any(within(name, "styletransfer.ui") or name.split(".")[0] in {"gradio", "app"} for name in IMPORTS[module]), (
            module
        )


@pytest.mark.parametrize("package", ONLY)
def test_some_files_import_only_what_they_must(package):
    for module in (module for module in MODULES if within(module, package)):
        house = {name for name in IMPORTS[module] if name.split(".")[0] in {"styletransfer", "training"}}
        extra = {name for name in house if not any(within(name, allowed) for allowed in ONLY[package])}
        assert not extra, f"{module} imports {extra}"


def test_the_walk_sees_imports_inside_functions():
    assert "torch" in IMPORTS["styletransfer.__main__"] and "styletransfer.catalog" in IMPORTS["styletransfer.__main__"]
