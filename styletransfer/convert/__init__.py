"""Checkpoints of other code bases into packages: `python -m styletransfer.convert latest_net_G.pth -o DIR`."""
