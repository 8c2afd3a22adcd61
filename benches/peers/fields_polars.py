"""Cuts records into fields with Polars, all records of a type at once, and counts those that are not blank."""

import sys

import polars
from polars import col

from layouts import layouts


def main():
    lines = polars.read_csv(
        sys.argv[2], has_header=False, separator="\x01", quote_char=None, new_columns=["line"], schema_overrides=[polars.String]
    )
    cut = count = filled = 0
    for record, fields in layouts(sys.argv[1]).items():
        rows = lines.filter(col("line").str.starts_with(record.decode()))
        cut += len(rows)
        count += len(rows) * len(fields)
        filled += sum(
            rows.select(
                (col("line").str.slice(first, end - first).str.strip_chars_end(" ") != "").sum().alias(str(first))
                for first, end in fields
            ).row(0)
        )
    print(cut, count, filled)


main()
