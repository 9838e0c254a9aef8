"""What a trained preset leaves: a package with its card and samples."""
