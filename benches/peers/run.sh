#!/usr/bin/env bash
# abigate beside what people use for fixed-width data, on one file of entry summaries (AE), as a
# markdown table.
#
#   benches/peers/run.sh [--size MB] [--runs N] [--abigate PROGRAM] [--data FILE] [--install]
#
# Every peer does the same: it reads the file, cuts each record of the main record types into its
# fields by the record's identifier, and counts the fields that are not blank. All of them must count
# the same, or the script fails. abigate does more in each of its lines: `check --no-rules` judges every
# record, field and order; `convert` builds JSON of every record, or typed entry summaries.
#
# What is not installed is left out of the table. --install installs what can be had:
#   gawk, GnuCOBOL, Perl, time   apt-get install gawk gnucobol perl time
#   a C compiler                 apt-get install gcc
#   @evologi/fixed-width         npm install @evologi/fixed-width (in the work folder)
#   fixed_width, serde           cargo, from the manifest this script writes
#   NumPy, Polars                pip install --target WORK/python numpy polars
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

size=200 runs=3 install='' data='' abigate=$root/target/release/abigate
while [ $# -gt 0 ]; do
    case $1 in
        --size) size=$2; shift 2 ;;
        --runs) runs=$2; shift 2 ;;
        --abigate) abigate=$2; shift 2 ;;
        --data) data=$2; shift 2 ;;
        --install) install=yes; shift ;;
        *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
    esac
done

work=${PEERS_WORK:-${TMPDIR:-/tmp}/abigate-peers}
mkdir -p "$work"
has() { command -v "$1" >/dev/null; }
[ -x "$abigate" ] || { echo "no $abigate: cargo build --release, or --abigate PROGRAM" >&2; exit 2; }

if [ -n "$install" ]; then
    apt-get update -q >&2
    apt-get install -y -q gawk gnucobol perl time gcc >&2
    if has npm; then (cd "$work" && npm install --silent @evologi/fixed-width >&2); fi
    if has pip; then pip install --quiet --target "$work/python" numpy polars >&2; fi
fi
has /usr/bin/time || { echo "GNU time measures memory: apt-get install time" >&2; exit 2; }

# The data: whole records of 80 columns, one a line.
if [ -z "$data" ]; then
    data=$work/entry_summaries_$size.abi
    if [ ! -s "$data" ]; then
        echo "making $size MB of entry summaries" >&2
        if "$abigate" generate --help >/dev/null 2>&1; then
            "$abigate" generate --app AE --size "${size}MB" --seed 1 --output "$data"
        else
            cat $(ls "$root"/samples/entry_summary/good/*.abi | grep -v answer) |
                awk '{ printf "%-80s\n", $0 }' >"$work/once.abi"
            once=$(stat -c %s "$work/once.abi")
            for _ in $(seq $((size * 1000000 / once + 1))); do cat "$work/once.abi"; done >"$data"
        fi
    fi
fi
bytes=$(stat -c %s "$data")
records=$(wc -l <"$data")

# The layouts of the main record types, from the grammar: record, field, first and last column.
"$abigate" grammar export AE | awk -F'\t' '
    BEGIN { split("10 11 20 21 22 23 31 34 40 44 47 50 62 89 90", ids, " "); for (i in ids) main[ids[i]] }
    $2 == "in" && ($3 in main) && $4 == "" { print $3 "\t" $6 "_" $8 "\t" $8 "\t" $9 }
' >"$work/layouts.tsv"
[ -s "$work/layouts.tsv" ] || { echo "no layouts" >&2; exit 2; }

# Sources that are made from the layouts.
for kind in c cobol rust; do
    awk -v kind=$kind -f "$here/sources.awk" "$work/layouts.tsv" >"$work/layouts.$kind"
done

expected=''
table=$work/table.md
printf '| | MB/s | records/s | CPU s | peak MB |\n|---|---:|---:|---:|---:|\n' >"$table"

# measure NAME JUDGE COMMAND…: the best of some runs. JUDGE is "counts" where the peer prints what all
# must print alike, or "any" where it does another job.
measure() {
    local name=$1 judge=$2 best='' line printed status
    shift 2
    echo "$name" >&2
    for _ in $(seq "$runs"); do
        status=0
        if [ "$judge" = counts ]; then
            printed=$(/usr/bin/time -q -o "$work/time" -f "%e %U %S %M" "$@" 2>"$work/log") || status=$?
        else
            /usr/bin/time -q -o "$work/time" -f '%e %U %S %M' "$@" >/dev/null 2>"$work/log" || status=$?
        fi
        [ $status -eq 0 ] || { echo "$name failed" >&2; cat "$work/log" >&2; exit 1; }
        line=$(tail -1 "$work/time")
        if [ "$judge" = counts ]; then
            expected=${expected:-$printed}
            [ "$printed" = "$expected" ] || { echo "$name counts $printed, others $expected" >&2; exit 1; }
        fi
        best=$(printf '%s\n%s\n' "$best" "$line" | grep . | sort -n | head -1)
    done
    echo "$best" | awk -v name="$name" -v bytes="$bytes" -v records="$records" '{
        wall = $1 > 0 ? $1 : 0.005
        printf "| %s | %.0f | %.0f | %.2f | %.0f |\n", name, bytes / wall / 1e6, records / wall, $2 + $3, $4 / 1024
    }' >>"$table"
}

cat "$data" >/dev/null
measure 'abigate `check --no-rules`' any "$abigate" check --no-rules "$data"
measure 'abigate `convert --to ndjson`' any "$abigate" convert "$data" --to ndjson
measure 'abigate `convert --to model-ndjson`' any "$abigate" convert "$data" --to model-ndjson

if has gcc; then
    gcc -O2 -I"$work" -o "$work/fields_c" "$here/fields.c"
    measure 'C by hand (gcc -O2), fields compared in place' counts "$work/fields_c" "$data"
fi
if has cargo; then
    mkdir -p "$work/rust/src"
    cp "$here/fixed_width.rs" "$work/rust/src/main.rs"
    cp "$work/layouts.rust" "$work/rust/src/layouts.rs"
    cat >"$work/rust/Cargo.toml" <<'MANIFEST'
[package]
name = "fields"
version = "0.0.0"
edition = "2021"

[dependencies]
fixed_width = "0.6"
fixed_width_derive = "0.6"
serde = { version = "1", features = ["derive"] }

[workspace]
MANIFEST
    cargo build --quiet --release --manifest-path "$work/rust/Cargo.toml" --target-dir "$work/rust/target"
    measure 'fixed_width 0.6 with serde (Rust)' counts "$work/rust/target/release/fields" "$data"
fi
if has cobc; then
    sed "/@LAYOUTS@/{r $work/layouts.cobol
        d}" "$here/fields.cob" | awk -v kind=calls -v layouts="$work/layouts.tsv" -f "$here/sources.awk" >"$work/fields.cob"
    cobc -x -O2 -free -o "$work/fields_cobol" "$work/fields.cob"
    measure 'GnuCOBOL, records redefined' counts env "DATA=$data" "$work/fields_cobol"
fi
python_has() { has python3 && PYTHONPATH=$work/python python3 -c "import $1" 2>/dev/null; }
if python_has numpy; then
    measure 'NumPy, columns of one matrix' counts \
        env "PYTHONPATH=$work/python" python3 "$here/fields_numpy.py" "$work/layouts.tsv" "$data"
fi
if python_has polars; then
    measure 'Polars, `str.slice`' counts \
        env "PYTHONPATH=$work/python" python3 "$here/fields_polars.py" "$work/layouts.tsv" "$data"
fi
if has perl; then measure 'Perl, `unpack`' counts perl "$here/fields.pl" "$work/layouts.tsv" "$data"; fi
if has gawk; then
    measure 'gawk, `FIELDWIDTHS`' counts env LC_ALL=C gawk -f "$here/fields.awk" "$work/layouts.tsv" "$data"
fi
if has python3; then
    measure 'Python, `struct`' counts python3 "$here/fields_struct.py" "$work/layouts.tsv" "$data"
fi
if has node && [ -d "$work/node_modules/@evologi/fixed-width" ]; then
    cp "$here/fields.mjs" "$work/fields.mjs"
    measure '@evologi/fixed-width (npm)' counts node "$work/fields.mjs" "$work/layouts.tsv" "$data"
fi

echo "$((bytes / 1000000)) MB, $records records; records cut, fields, fields not blank: $expected" >&2
cat "$table"
