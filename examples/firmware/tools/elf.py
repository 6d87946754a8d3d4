"""The symbols of a firmware's image: where a debugger finds things."""

import struct


def symbols(path):
    """Names and addresses out of the symbol table of a 32-bit little-endian ELF file."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:6] != b"\x7fELF\x01\x01":
        raise ValueError(f"{path} is no 32-bit little-endian ELF file")
    (table,) = struct.unpack_from("<I", data, 32)
    size, count = struct.unpack_from("<HH", data, 46)
    sections = [struct.unpack_from("<10I", data, table + place * size) for place in range(count)]
    found = {}
    for _, kind, _, _, offset, length, link, _, _, _ in sections:
        if kind != 2:  # SHT_SYMTAB
            continue
        names = sections[link][4]
        for place in range(offset, offset + length, 16):
            name, value = struct.unpack_from("<II", data, place)
            end = data.index(b"\0", names + name)
            found[data[names + name:end].decode()] = value
    return found


def find(table, name):
    """The address of a symbol, by its own name or by the last part of its path, however the compiler wrote that."""
    if name in table:
        return table[name]
    mangled = f"{len(name)}{name}"
    hits = {value for symbol, value in table.items() if symbol.startswith("_") and mangled in symbol}
    if len(hits) != 1:
        raise LookupError(f"{len(hits)} symbols are called {name}")
    return hits.pop()
