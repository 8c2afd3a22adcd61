//! Puts the files of `grammars/` into the program: those of `grammars/tariff` compressed, as the tables of a
//! tariff repeat themselves and are looked at by few commands, all others as they are.
#![allow(clippy::disallowed_methods, reason = "a build script has no command line to write through")]

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() -> io::Result<()> {
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(name));
    let folder = variable("CARGO_MANIFEST_DIR")?.join("grammars");
    let out = variable("OUT_DIR")?;
    println!("cargo::rerun-if-changed={}", folder.display());

    let mut files = Vec::new();
    collect(&folder, &mut files)?;
    files.sort();
    let (mut grammars, mut tables) = (String::new(), String::new());
    for file in &files {
        let name = file.strip_prefix(&folder).map_err(io::Error::other)?;
        match name.strip_prefix("tariff") {
            Err(_) => entry(&mut grammars, name, "include_str", file),
            Ok(name) => {
                let compressed = out.join(format!("{}.deflate", name.display()));
                compress(file, &compressed)?;
                entry(&mut tables, name, "include_bytes", &compressed);
            }
        }
    }
    fs::write(out.join("grammars.rs"), format!("&[\n{grammars}]\n"))?;
    fs::write(out.join("tariff.rs"), format!("&[\n{tables}]\n"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// A line of a list of files: the name and what the file holds.
fn entry(list: &mut String, name: &Path, include: &str, file: &Path) {
    // Writing to a string does not fail.
    let _ = writeln!(
        list,
        "    ({:?}, {include}!({:?})),",
        name.display().to_string(),
        file.display().to_string()
    );
}

fn compress(file: &Path, compressed: &Path) -> io::Result<()> {
    let mut encoder = DeflateEncoder::new(fs::File::create(compressed)?, Compression::best());
    encoder.write_all(&fs::read(file)?)?;
    encoder.finish()?;
    Ok(())
}
