"""What `python -m training` does: a module for each command, with `main(arguments)`."""
