/* Cuts records into fields where they stand, and counts those that are not blank. */
#include <stdio.h>
#include <string.h>

struct layout {
    char record[3];
    struct { short start, length; } fields[64];
};

static const struct layout layouts[] = {
#include "layouts.c"
};
enum { LAYOUTS = sizeof layouts / sizeof layouts[0], LINE = 81 };

int main(int count, char **arguments) {
    static const struct layout *by_record[1 << 16];
    static char blanks[80], buffer[LINE * 4096];
    long cut = 0, fields = 0, filled = 0;
    FILE *file = count > 1 ? fopen(arguments[1], "rb") : NULL;
    if (!file) return 2;
    memset(blanks, ' ', sizeof blanks);
    for (int i = 0; i < LAYOUTS; i++)
        by_record[(unsigned char)layouts[i].record[0] << 8 | (unsigned char)layouts[i].record[1]] = &layouts[i];
    for (size_t length; (length = fread(buffer, LINE, 4096, file)) > 0;)
        for (const char *line = buffer; line < buffer + length * LINE; line += LINE) {
            const struct layout *layout = by_record[(unsigned char)line[0] << 8 | (unsigned char)line[1]];
            if (!layout) continue;
            cut++;
            for (int i = 0; layout->fields[i].length; i++, fields++)
                filled += memcmp(line + layout->fields[i].start, blanks, (size_t)layout->fields[i].length) != 0;
        }
    printf("%ld %ld %ld\n", cut, fields, filled);
    return 0;
}
