"""Training engine: presets, recipes and the one training loop. Never imported by `styletransfer`."""
