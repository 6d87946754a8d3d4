"""The symbols of a firmware's image."""

import struct


def symbols(path):
    """Returns the names and addresses in the symbol table of a 32-bit little-endian ELF file."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:6] != b"\x7fELF\x01\x01":
        raise ValueError(f"{path} is no 32-bit little-endian ELF file")
    (table,) = struct.unpack_from("<I", data, 32)
    size, count = struct.unpack_from("<HH", data, 46)
    sections = [struct.unpack_from("<10I", data, table + index * size) for index in range(count)]
    found = {}
    for _, kind, _, _, offset, length, link, _, _, _ in sections:
        if kind != 2:  # SHT_SYMTAB
            continue
        names = sections[link][4]
        for entry in range(offset, offset + length, 16):
            name, value = struct.unpack_from("<II", data, entry)
            end = data.index(b"\0", names + name)
            found[data[names + name:end].decode()] = value
    return found


def find(table, name):
    """Returns the address of a symbol, by its name or by the last part of its mangled path."""
    if name in table:
        return table[name]
    mangled = f"{len(name)}{name}"
    hits = {value for symbol, value in table.items() if symbol.startswith("_") and mangled in symbol}
    if len(hits) != 1:
        raise LookupError(f"{len(hits)} symbols are called {name}")
    return hits.pop()
