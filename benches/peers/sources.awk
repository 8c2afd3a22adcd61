# Sources made from the layouts (record, field, first and last column, tab separated).
#   kind=c      tables of where fields begin and end
#   kind=rust   a struct a record, for fixed_width and serde
#   kind=cobol  a redefinition of the record area a record
#   kind=calls  the COBOL program itself: one paragraph a record in the place of @COUNTS@
BEGIN { FS = "\t" }

function short(number) { return "F" number }

kind == "calls" {
    if ($0 !~ /@COUNTS@/) { print; next }
    while ((getline line < layouts) > 0) {
        split(line, cells, "\t")
        if (cells[1] != last) {
            if (last != "") print "            ADD " count " TO FIELDS"
            print "        WHEN \"" cells[1] "\""
            print "            ADD 1 TO CUT"
            last = cells[1]; count = 0
        }
        count++
        print "            IF R" cells[1] "-" short(count) " NOT = SPACES ADD 1 TO FILLED END-IF"
    }
    print "            ADD " count " TO FIELDS"
    next
}

$1 != record {
    if (record != "" && kind == "rust") print "}"
    if (record != "" && kind == "c") print "}},"
    if (kind == "rust") {
        print "#[derive(FixedWidth, Deserialize)]\nstruct R" $1 "<'a> {"
        records = records " " $1
    }
    if (kind == "c") print "{\"" $1 "\", {"
    if (kind == "cobol") print "01 R" $1 " REDEFINES AREA-OF-RECORD."
    record = $1; count = 0; next_column = 1
}

{
    count++
    fields[$1] = fields[$1] " f" count
    if (kind == "rust") {
        printf "    #[fixed_width(range = \"%d..%d\")]\n    #[serde(borrow)]\n    f%d: &'a str,\n", $3 - 1, $4, count
    }
    if (kind == "c") printf "{%d, %d},", $3 - 1, $4 - $3 + 1
    if (kind == "cobol") {
        if ($3 > next_column) printf "  05 FILLER PIC X(%d).\n", $3 - next_column
        printf "  05 R%s-%s PIC X(%d).\n", $1, short(count), $4 - $3 + 1
        next_column = $4 + 1
    }
}

END {
    if (kind == "c") print "}},"
    if (kind == "rust") {
        print "}\n"
        print "fn count(counts: &mut Counts, line: &[u8]) -> Result<(), fixed_width::Error> {"
        print "    match &line[..2] {"
        total = split(records, ids, " ")
        for (i = 1; i <= total; i++) {
            used = split(fields[ids[i]], names, " ")
            list = ""
            for (j = 1; j <= used; j++) list = list (j > 1 ? ", " : "") "record." names[j]
            printf "        b\"%s\" => {\n            let record: R%s = fixed_width::from_bytes(line)?;\n", ids[i], ids[i]
            printf "            counts.add(&[%s]);\n        }\n", list
        }
        print "        _ => {}\n    }\n    Ok(())\n}"
    }
}
