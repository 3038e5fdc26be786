"""Reads the `name: "value"` lines of a key file: no YAML library is needed for that."""


def load(path):
    pairs = (line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    return {name.strip(): value.strip().strip('"') for name, value in pairs}
