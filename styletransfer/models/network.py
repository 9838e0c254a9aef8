"""The base of every network."""

from importlib import import_module

from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin


class Network(ModelMixin, ConfigMixin):
    """A torch module whose arguments are its config, and which a folder or a repository of the Hub can hold."""

    @classmethod
    def from_pretrained(cls, path_or_repo, *arguments, **options):
        """Network in a folder or in a repository of the Hub; `styletransfer.pipelines.loading.from_pretrained` names the options.

        `StyleGenerator.from_pretrained("model_cards/painter", subfolder="stylizer")`
        """
        if not __name__.startswith("styletransfer."):  # a copy in a package, for people without styletransfer
            return super().from_pretrained(path_or_repo, *arguments, **options)
        return import_module("styletransfer.pipelines.loading").from_pretrained(cls, path_or_repo, *arguments, **options)
