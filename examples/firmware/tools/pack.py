"""`pack IMAGE.elf OUT.hex|OUT.uf2`: converts an image for boot loaders, to Intel HEX or Microsoft's UF2."""

import struct
import sys

RP2040 = 0xE48BFF56


def segments(path):
    """Returns the segments of an ELF file that go into flash, as addresses and bytes in order."""
    with open(path, "rb") as file:
        data = file.read()
    (table,) = struct.unpack_from("<I", data, 28)
    size, count = struct.unpack_from("<HH", data, 42)
    parts = []
    for header in range(table, table + size * count, size):
        kind, offset, _, address, length = struct.unpack_from("<5I", data, header)
        if kind == 1 and length:
            parts.append((address, data[offset:offset + length]))
    return sorted(parts)


def pages(parts, size):
    """Divides segments into full pages of a size. Bytes outside of segments are 0."""
    found = {}
    for address, data in parts:
        for position, byte in enumerate(data, address):
            found.setdefault(position // size, bytearray(size))[position % size] = byte
    return [(number * size, bytes(page)) for number, page in sorted(found.items())]


def intel_hex(parts):
    """Returns Intel HEX: lines of sixteen bytes, with the upper half of the address wherever it changes."""
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
    """Returns UF2: blocks of 512 bytes, each with 256 of the image."""
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
