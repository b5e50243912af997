//! `cargo xtask tidy`: the house rules that no compiler checks.
//!
//! A Rust file says on its first line what it is and stays short; unsafe code stands only in the files named
//! below; nothing is left for later; the arrows between the crates never run back; the README is right about Rust.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{source, steps::Step, workspace};

/// A Rust file beyond this is two concepts.
const MAX_LINES: usize = 600;

/// The files (or folders, with a `/` at the end) that may contain `unsafe`. An entry without any is an error too.
const UNSAFE: &[&str] = &[
    // Backends: memory by address, and the traits that hand it out.
    "linkbuf-alloc/src/backend/heap_pages.rs",
    "linkbuf-alloc/src/backend/huge_page/",
    "linkbuf-alloc/src/backend/mimalloc.rs",
    "linkbuf-alloc/src/backend/mmap.rs",
    "linkbuf-alloc/src/source.rs",
    "linkbuf-alloc/src/slab/mod.rs",
    "linkbuf-alloc/src/slab/tests.rs",
    // The pool's caches and magazines.
    "linkbuf-alloc/src/pool/inner.rs",
    "linkbuf-alloc/src/pool/local.rs",
    "linkbuf-alloc/src/pool/magazine.rs",
    "linkbuf-alloc/src/pool/pooled.rs",
    "linkbuf-alloc/src/pool/process.rs",
    "linkbuf-alloc/src/pool/slot.rs",
    "linkbuf-alloc/src/pool/tests/",
    // Allocators that forward to others.
    "linkbuf-alloc/src/budget/budgeted.rs",
    "linkbuf-alloc/src/erased.rs",
    "linkbuf-alloc/src/process.rs",
    // The C library's fork handlers, keys and clock, and a box that can be refused.
    "linkbuf-alloc/src/clock.rs",
    "linkbuf-alloc/src/fork.rs",
    "linkbuf-alloc/src/thread_exit.rs",
    "linkbuf-alloc/src/try_box.rs",
    // Tests that fork, set limits, hold blocks of their own, and implement the unsafe traits.
    "linkbuf-alloc/tests/it/budget.rs",
    "linkbuf-alloc/tests/it/fork.rs",
    "linkbuf-alloc/tests/it/limits.rs",
    "linkbuf-alloc/tests/it/refused.rs",
    "linkbuf-alloc/tests/it/resident.rs",
    "linkbuf-alloc/tests/it/sources.rs",
    "linkbuf-alloc/tests/it/suite.rs",
    // Blocks taken and given back, and the C library's.
    "linkbuf-bench/src/block.rs",
    "linkbuf-bench/src/contenders/malloc.rs",
    // The bench's global allocator, which counts.
    "linkbuf-bench/src/memory.rs",
    // What `BytesMut` asks of those who fill reserved room in place.
    "linkbuf-bench/src/contenders/bytes_mut.rs",
    // `NodeAllocator` is an unsafe trait; the heap implements it, and so do the test doubles.
    "linkbuf-core/src/allocator.rs",
    "linkbuf-core/src/heap.rs",
    "linkbuf-core/src/testing/allocators/",
    "linkbuf-core/src/testing/contract.rs",
    "linkbuf-core/tests/it/contract.rs",
    "linkbuf-core/tests/it/interop.rs",
    "linkbuf-core/tests/it/regression.rs",
    // Blocks, nodes, the chain.
    "linkbuf-core/src/raw/",
];

/// What each crate may be built from.
const ARROWS: &[(&str, &[&str])] = &[
    ("linkbuf-core", &[]),
    ("linkbuf-alloc", &["linkbuf-core"]),
    ("linkbuf-net", &["linkbuf-core"]),
    (
        "linkbuf-bench",
        &["linkbuf-core", "linkbuf-alloc", "linkbuf-net"],
    ),
    ("xtask", &[]),
];

/// Spelled in pieces, or this file would break the rule.
const LEFT_FOR_LATER: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
];
const MACROS_FOR_LATER: &[&str] = &[concat!("todo", "!"), concat!("unimplemented", "!")];

pub(crate) fn run() -> ExitCode {
    match check() {
        Ok(said) => {
            print!("{said}");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprint!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn step() -> Step {
    Step::rule("house rules", check, "cargo xtask tidy")
}

/// One line for each breach, or the figures of a clean tree.
fn check() -> Result<String, String> {
    let root = workspace::root();
    let files = texts(&root).map_err(|error| format!("{}: {error}\n", root.display()))?;
    let mut breaches = Vec::new();
    let mut unsafes = Vec::new();
    for file in &files {
        left_for_later(file, &mut breaches);
        if file.is_rust() {
            shape(file, &mut breaches);
            unsafes.extend(Unsafe::of(file));
        }
    }
    whitelist(&unsafes, &mut breaches);
    crates(&files, &mut breaches)?;
    if breaches.is_empty() {
        Ok(figures(&files, &unsafes))
    } else {
        Err(breaches.join("\n") + "\n")
    }
}

/// A file of the tree: its path from the root, with `/`, and its text.
struct Text {
    path: String,
    text: String,
}

impl Text {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Rust sources, manifests, pages and scripts.
fn texts(root: &Path) -> io::Result<Vec<Text>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                let hidden = name.starts_with('.') && ![".ci", ".cargo"].contains(&name.as_str());
                if !hidden && name != "target" {
                    folders.push(path);
                }
            } else if is_text(&path) {
                let text = fs::read_to_string(&path)?;
                files.push(Text {
                    path: relative(&path, root),
                    text,
                });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn is_text(path: &Path) -> bool {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some(ending) => ["rs", "toml", "md", "sh"].contains(&ending),
        None => path.parent().and_then(Path::file_name) == Some(".ci".as_ref()),
    }
}

fn relative(path: &Path, root: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root).unwrap_or(path).into();
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn shape(file: &Text, breaches: &mut Vec<String>) {
    if !file.text.starts_with("//!") {
        breaches.push(format!(
            "{}:1: does not start with `//!`, a line on what the file is",
            file.path
        ));
    }
    let lines = file.text.lines().count();
    if lines > MAX_LINES {
        breaches.push(format!(
            "{}: {lines} lines, more than {MAX_LINES}",
            file.path
        ));
    }
}

/// In pages the words may be talked about; in sources they are work that was not done.
fn left_for_later(file: &Text, breaches: &mut Vec<String>) {
    if file.path.ends_with(".md") {
        return;
    }
    for word in LEFT_FOR_LATER.iter().chain(MACROS_FOR_LATER) {
        for at in source::words(&file.text, word) {
            breaches.push(format!(
                "{}:{}: `{word}`",
                file.path,
                line_at(&file.text, at)
            ));
        }
    }
}

/// The unsafe code of one file.
struct Unsafe<'f> {
    path: &'f str,
    first_line: usize,
    /// Blocks, and the lines they span.
    blocks: usize,
    lines: usize,
    /// Functions, impls, traits, extern blocks.
    items: usize,
}

impl<'f> Unsafe<'f> {
    fn of(file: &'f Text) -> Option<Self> {
        let code = source::code_of(&file.text);
        let places: Vec<usize> = source::words(&code, "unsafe").collect();
        let mut found = Self {
            path: &file.path,
            first_line: line_at(&code, *places.first()?),
            blocks: 0,
            lines: 0,
            items: 0,
        };
        for at in places {
            match code[at + "unsafe".len()..].trim_start().strip_prefix('{') {
                Some(inside) => {
                    found.blocks += 1;
                    found.lines += 1 + lines_to_brace(inside);
                }
                None => found.items += 1,
            }
        }
        Some(found)
    }
}

/// How many line ends lie before the brace that closes what `inside` starts with.
fn lines_to_brace(inside: &str) -> usize {
    let mut depth = 1;
    let mut lines = 0;
    for c in inside.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            '\n' => lines += 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    lines
}

fn whitelist(unsafes: &[Unsafe<'_>], breaches: &mut Vec<String>) {
    let covers = |entry: &str, path: &str| {
        path == entry || (entry.ends_with('/') && path.starts_with(entry))
    };
    for found in unsafes {
        if !UNSAFE.iter().any(|entry| covers(entry, found.path)) {
            breaches.push(format!(
                "{}:{}: unsafe code in a file that xtask/src/tidy.rs does not list",
                found.path, found.first_line
            ));
        }
    }
    for entry in UNSAFE {
        if !unsafes.iter().any(|found| covers(entry, found.path)) {
            breaches.push(format!(
                "xtask/src/tidy.rs: lists {entry}, which has no unsafe code"
            ));
        }
    }
}

/// The arrows between the crates, and that the README promises the Rust version that the manifests ask for.
fn crates(files: &[Text], breaches: &mut Vec<String>) -> Result<(), String> {
    let packages = workspace::packages()?;
    for package in packages {
        let name = &package.name;
        let Some((_, allowed)) = ARROWS.iter().find(|(of, _)| of == name) else {
            breaches.push(format!(
                "xtask/src/tidy.rs: does not say what {name} may build on"
            ));
            continue;
        };
        let used = package.builds_on.iter().map(String::as_str);
        let members = used.filter(|used| ARROWS.iter().any(|(member, _)| member == used));
        for used in members.filter(|used| !allowed.contains(used)) {
            breaches.push(format!(
                "{name}/Cargo.toml: {name} must not build on {used}"
            ));
        }
    }
    let readme = files.iter().find(|file| file.path == "README.md");
    let stated = format!("Rust {}", packages[0].rust_version);
    if !readme.is_some_and(|readme| readme.text.contains(&stated)) {
        breaches.push(format!(
            "README.md: does not say `{stated}`, as Cargo.toml does"
        ));
    }
    Ok(())
}

fn figures(files: &[Text], unsafes: &[Unsafe<'_>]) -> String {
    let rust: Vec<&Text> = files.iter().filter(|file| file.is_rust()).collect();
    let lines: usize = rust.iter().map(|file| file.text.lines().count()).sum();
    let mut said = format!("{} Rust files, {lines} lines; unsafe code:\n", rust.len());
    let mut row = |path: &str, blocks: usize, lines: usize, items: usize| {
        // Writing to a string can't fail.
        let _ = writeln!(
            said,
            "  {path:48} {blocks:4} blocks over {lines:4} lines, {items:3} items"
        );
    };
    for found in unsafes {
        row(found.path, found.blocks, found.lines, found.items);
    }
    row(
        "all",
        unsafes.iter().map(|found| found.blocks).sum(),
        unsafes.iter().map(|found| found.lines).sum(),
        unsafes.iter().map(|found| found.items).sum(),
    );
    said
}

fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(text: &str) -> Text {
        Text {
            path: "a/src/b.rs".into(),
            text: text.into(),
        }
    }

    #[test]
    fn a_file_says_what_it_is_and_stays_short() {
        let mut breaches = Vec::new();
        shape(&rust("//! Short.\n"), &mut breaches);
        assert!(breaches.is_empty());
        shape(&rust("use std::fmt;\n"), &mut breaches);
        shape(
            &rust(&format!("//! Long.\n{}", "\n".repeat(MAX_LINES))),
            &mut breaches,
        );
        assert_eq!(breaches.len(), 2);
        assert!(breaches[1].contains("601 lines"), "{}", breaches[1]);
    }

    #[test]
    fn what_is_left_for_later_is_found_with_its_line() {
        let mut breaches = Vec::new();
        let text = format!(
            "//! A file.\nfn f() {{ {}() }}\n// {}: g\n",
            MACROS_FOR_LATER[0], LEFT_FOR_LATER[0]
        );
        left_for_later(&rust(&text), &mut breaches);
        assert_eq!(breaches.len(), 2);
        assert!(breaches[0].starts_with("a/src/b.rs:3:"), "{}", breaches[0]);
        assert!(breaches[1].starts_with("a/src/b.rs:2:"), "{}", breaches[1]);
    }

    #[test]
    fn unsafe_code_is_counted() {
        let text = "unsafe fn f() {\n unsafe {\n { g() }\n }\n unsafe { h() }\n}\nunsafe impl T for U {}\n";
        let file = rust(text);
        let found = Unsafe::of(&file).expect("there is some");
        assert_eq!(
            (found.first_line, found.blocks, found.lines, found.items),
            (1, 2, 4, 2)
        );
        assert!(Unsafe::of(&rust("// unsafe\n")).is_none());
    }

    #[test]
    fn an_unlisted_file_and_a_stale_entry_are_breaches() {
        let file = rust("\nunsafe { f() }");
        let mut breaches = Vec::new();
        whitelist(&[Unsafe::of(&file).expect("there is some")], &mut breaches);
        assert_eq!(breaches.len(), 1 + UNSAFE.len());
        assert!(breaches[0].starts_with("a/src/b.rs:2:"), "{}", breaches[0]);
    }
}
