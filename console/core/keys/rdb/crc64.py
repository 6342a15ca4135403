"""The checksum at the end of each payload of DUMP: CRC-64 with the polynomial of Jones, as in Redis's crc64.c."""

from __future__ import annotations

_REFLECTED = 0x95AC9329AC4BC9B5
_BYTE, _BITS = 256, 8


def _row(number: int) -> int:
    for _ in range(_BITS):
        number = number >> 1 ^ (_REFLECTED if number & 1 else 0)
    return number


_TABLE = tuple(_row(number) for number in range(_BYTE))


def crc64(data: bytes) -> int:
    """The checksum of these bytes. It takes about a second for 10 MB."""
    crc, table = 0, _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc
