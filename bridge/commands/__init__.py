"""What the commands of `nightbridge` do. Imported by `bridge.cli` one by one, when they are called."""
