"""A package as ONNX files, and a page that paints with them in the browser, without any server."""
