"""Cuts records into fields with struct, and counts those that are not blank."""

import struct
import sys

from layouts import layouts


def compiled(fields):
    text, last = "", 0
    for first, end in fields:
        text += f"{first - last}x" * (first > last) + f"{end - first}s"
        last = end
    return struct.Struct(text).unpack_from


def main():
    records = {record: compiled(fields) for record, fields in layouts(sys.argv[1]).items()}
    cut = count = filled = 0
    with open(sys.argv[2], "rb") as data:
        for line in data:
            unpack = records.get(line[:2])
            if unpack is None:
                continue
            fields = unpack(line)
            cut += 1
            count += len(fields)
            for field in fields:
                if not field.isspace():
                    filled += 1
    print(cut, count, filled)


main()
