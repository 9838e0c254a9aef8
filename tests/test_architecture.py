"""Imports run one way. The lines are those of the design; a new file joins a line here or the test names it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# later lines may import earlier ones, and files of one line each other, but never in a circle
LIBRARY = [
    ["styletransfer.models.layers", "styletransfer.tasks"],
    ["styletransfer.models"],
    [
        "styletransfer.color",
        "styletransfer.styles",
        "styletransfer.tiling",
        "styletransfer.images",
        "styletransfer.sheet",
        "styletransfer.formats",
        "styletransfer.files",
        "styletransfer.memory",
        "styletransfer.command",
        "styletransfer.limited",
        "styletransfer.temporary",
    ],
    ["styletransfer.pipelines", "styletransfer.catalog", "styletransfer.convert", "styletransfer.upload"],
    ["styletransfer.ui", "styletransfer.__main__", "styletransfer.space", "styletransfer.export_onnx"],
    ["app"],
]
TRAINING = [
    ["training.options"],
    ["training.losses"],
    ["training.engine"],
    ["training.steps"],
    ["training.data"],
    ["training.check"],
    ["training.evaluate"],
    ["training.packaging"],
    ["training.presets"],
    ["training.commands"],
    ["training.__main__"],
]
ONLY = {
    # what files of a package may import of the library
    "training.losses": {"training.losses", "styletransfer.models.features"},
    "training.engine": {
        "training.engine",
        "training.options",
        "training.losses",
        "styletransfer.upload",
        "styletransfer.files",
        "styletransfer.images",
        "styletransfer.sheet",
    },
    "training.engine.doctor": {"training.engine.recipe"},
    "training.engine.recipe": {"training.losses", "training.engine.pool"},
    "training.steps": {"training.engine.recipe", "training.steps", "training.losses", "styletransfer.models.style_adapter"},
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


def level(module: str, levels: list[list[str]]) -> int:
    found = [number for number, packages in enumerate(levels) if any(within(module, package) for package in packages)]
    assert found, f"{module} is on no line of the design"
    return found[0]


def circle(module: str, path: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The first way along imports from `module` back to a module on the way, or nothing."""
    if module in path:
        return (*path[path.index(module) :], module)
    if module in CLEAR:
        return ()
    for imported in sorted(IMPORTS[module] & MODULES.keys()):
        if found := circle(imported, (*path, module)):
            return found
    CLEAR.add(module)
    return ()


MODULES = modules()
IMPORTS = {module: imports(path) for module, path in MODULES.items()}
CLEAR: set[str] = set()  # modules from which no way leads into a circle
LEVELS = {
    module: levels
    for module in MODULES
    for root, levels in (("app", LIBRARY), ("styletransfer", LIBRARY), ("training", TRAINING))
    if within(module, root) and module not in ("styletransfer", "training")
}


@pytest.mark.parametrize("module", sorted(LEVELS))
def test_imports_run_one_way(module):
    for imported in IMPORTS[module] & LEVELS.keys():
        if LEVELS[imported] is LEVELS[module]:
            assert level(imported, LEVELS[module]) <= level(module, LEVELS[module]), f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_imports_in_a_circle(module):
    assert not circle(module)


def test_every_name_of_the_design_is_a_module():
    lines = [name for levels in (LIBRARY, TRAINING) for line in levels for name in line]
    allowed = [name for names in ONLY.values() for name in names]
    assert sorted({*lines, *ONLY, *allowed} - MODULES.keys()) == []


def test_the_front_door_imports_nothing():
    assert not any(name.startswith(("styletransfer", "torch", "diffusers")) for name in IMPORTS["styletransfer"])


def test_the_library_knows_neither_training_nor_accelerate_nor_outside_of_its_pages_gradio():
    for module in sorted(module for module in LEVELS if LEVELS[module] is LIBRARY and module != "app"):
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
        own = {name for name in IMPORTS[module] if name.split(".")[0] in {"styletransfer", "training"}}
        extra = {name for name in own if not any(within(name, allowed) for allowed in ONLY[package])}
        assert not extra, f"{module} imports {extra}"


def test_the_walk_sees_imports_inside_functions():
    assert "torch" in IMPORTS["styletransfer.__main__"] and "styletransfer.catalog" in IMPORTS["styletransfer.__main__"]
