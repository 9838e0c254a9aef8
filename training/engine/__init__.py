"""The training loop and what it needs: recipes, phases, games, state, validation."""
