"""Published networks, written down again from their papers and the layout of their checkpoints, to compare ours with."""
