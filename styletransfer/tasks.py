"""What each kind of pipeline does and can be asked for, for the command line, the page, the exports and the evaluation.

Costs neither torch nor diffusers.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """What a kind of pipeline does.

    Args:
        module: Where its class lives.
        takes: "photo" if it turns photos into pictures, by the protocol of `pipelines.photo.PhotoPipeline`; "noise" if it makes
            them from seeds.
        controls: The numbers that its `__call__` takes beside the photo and the style.
        any_painting: Whether any painting is a style of it. Such styles mix, and files hold them.
        megapixels: Of the largest result that the page asks for.
        onnx: Module whose `export(pipe, folder)` writes it as ONNX files.
    """

    module: str = ""
    takes: str = ""
    controls: tuple[str, ...] = ()
    any_painting: bool = False
    megapixels: float = 0
    onnx: str = ""


# class of a pipeline -> its task. Packages name their class, and only these can be had: no other name is ever imported
TASKS = {
    "StyleTransferPipeline": Task(
        module="styletransfer.pipelines.style_transfer",
        takes="photo",
        controls=("strength", "tone", "color", "brush", "size"),
        any_painting=True,
        megapixels=16,
        onnx="styletransfer.export_onnx.painter",
    ),
    "TranslationPipeline": Task(
        module="styletransfer.pipelines.translation",
        takes="photo",
        controls=("strength",),
        megapixels=2,  # the whole photo goes through the network, at 1.7 KB for each of its pixels in a ResnetGenerator
        onnx="styletransfer.export_onnx.translator",
    ),
    "GenerationPipeline": Task(module="styletransfer.pipelines.generation", takes="noise"),
}
