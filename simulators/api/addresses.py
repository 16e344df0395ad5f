"""The paths that are not the API's own."""

CONTROL = "/_emulator"
STORAGE = "/_storage"
DOCS = "/docs"
