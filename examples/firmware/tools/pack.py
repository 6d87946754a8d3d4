"""`pack IMAGE.elf OUT.hex|OUT.uf2`: an image as the boot loaders of boards take it: Intel HEX, or Microsoft's UF2."""

import struct
import sys

RP2040 = 0xE48BFF56


def segments(path):
    """What of an ELF file goes into flash: addresses and bytes, in order."""
    with open(path, "rb") as file:
        data = file.read()
    (table,) = struct.unpack_from("<I", data, 28)
    size, count = struct.unpack_from("<HH", data, 42)
    parts = []
    for place in range(table, table + size * count, size):
        kind, offset, _, address, length = struct.unpack_from("<5I", data, place)
        if kind == 1 and length:
            parts.append((address, data[offset:offset + length]))
    return sorted(parts)


def pages(parts, size):
    """The same in pages of a size, each wholly: what nobody set is 0."""
    found = {}
    for address, data in parts:
        for place, byte in enumerate(data, address):
            found.setdefault(place // size, bytearray(size))[place % size] = byte
    return [(number * size, bytes(page)) for number, page in sorted(found.items())]


def intel_hex(parts):
    """Lines of sixteen bytes, with the upper half of their address wherever it changes."""
    lines, upper = [], 0

    def record(address, kind, data):
        line = bytes([len(data), address >> 8 & 0xFF, address & 0xFF, kind]) + data
        lines.append(f":{line.hex()}{-sum(line) & 0xFF:02x}".upper())

    for address, data in pages(parts, 16):
        if address >> 16 != upper:
            upper = address >> 16
            record(0, 4, upper.to_bytes(2, "big"))
        record(address & 0xFFFF, 0, data)
    record(0, 1, b"")
    return ("\n".join(lines) + "\n").encode()


def uf2(parts):
    """Blocks of 512 bytes, each with 256 of the image."""
    every = pages(parts, 256)
    return b"".join(
        struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, address, 256, number, len(every), RP2040)
        + data.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)
        for number, (address, data) in enumerate(every)
    )


if __name__ == "__main__":
    image, out = sys.argv[1:]
    packed = (uf2 if out.endswith(".uf2") else intel_hex)(segments(image))
    with open(out, "wb") as target:
        target.write(packed)
