"""Steps: the images that exist in one update, one class for each kind of supervision."""
