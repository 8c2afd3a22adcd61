"""The layouts: for each record its fields' first byte and the byte behind the last one."""


def layouts(path):
    records = {}
    with open(path) as table:
        for line in table:
            record, _, first, last = line.rstrip("\n").split("\t")
            records.setdefault(record.encode(), []).append((int(first) - 1, int(last)))
    return records
