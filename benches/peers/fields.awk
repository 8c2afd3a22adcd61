# Cuts records into fields with FIELDWIDTHS, and counts those that are not blank.
BEGIN {
    FS = "\t"
    while ((getline line < ARGV[1]) > 0) {
        split(line, cells, "\t")
        record = cells[1]
        skip = cells[3] - 1 - last[record]
        width = cells[4] - cells[3] + 1
        widths[record] = widths[record] " " (skip > 0 ? skip ":" : "") width
        blank[record, ++count[record]] = sprintf("%" width "s", "")
        last[record] = cells[4]
    }
    ARGV[1] = ""
    FIELDWIDTHS = "2"
}
($1 in widths) {
    record = $1
    FIELDWIDTHS = widths[record]
    $0 = $0
    cut++
    total = count[record]
    fields += total
    for (i = 1; i <= total; i++) if ($i != blank[record, i]) filled++
    FIELDWIDTHS = "2"
}
END { print cut + 0, fields + 0, filled + 0 }
