//! The fuzz targets over their corpus: the hostile strings, the transcripts, and every input that once broke one.

#![allow(
    unreachable_pub,
    missing_debug_implementations,
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may"
)]

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use targets::TARGETS;
use virtual_modem::{Direction, Transcript};

#[path = "../api/hostile/corpus.rs"]
mod hostile;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The contents of the files in a directory, in the order of their names.
fn files(directory: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().filter(|path| path.is_file()).map(|path| fs::read(path).unwrap()).collect()
}

/// Inputs for every target: the hostile strings, the transcripts as they are, and what the modules said in them.
fn seeds() -> Vec<Vec<u8>> {
    let transcripts = [files(&here("tests/transcripts")), files(&here("tests/transcripts/real"))].concat();
    let said = transcripts.iter().map(|text| {
        let transcript: Transcript = std::str::from_utf8(text).unwrap().parse().unwrap();
        let from_module = transcript.turns.into_iter().filter(|it| it.direction == Direction::ModuleToHost);
        from_module.flat_map(|turn| turn.bytes.to_vec()).collect()
    });
    let plain = hostile::HOSTILE.iter().map(|text| text.to_vec()).chain(said);
    // In front of each stand the choices of most targets: a mode, and how to cut what follows.
    let choices = [&[0, 0][..], &[1, 0], &[12, 1, 0], &[13, 2, 6, 1]];
    let chosen = plain.flat_map(|bytes| choices.map(|choices| [choices, &bytes].concat()));
    chosen.chain(transcripts.iter().cloned()).collect()
}

/// Strings for the target whose strings have lengths.
fn strings() -> Vec<Vec<u8>> {
    let counted = |text: &[u8]| [&[u8::try_from(text.len()).unwrap()], text].concat();
    let with =
        |text: &[u8]| (0..4).map(|vendor| [&[vendor][..], &counted(text).repeat(5)].concat()).collect();
    hostile::HOSTILE.iter().flat_map(|text| -> Vec<_> { with(text) }).collect()
}

#[test]
fn every_target_survives_the_corpus() {
    let write = std::env::var_os("MQTTAT_WRITE_CORPUS");
    for (name, target) in TARGETS {
        let known = files(&here("tests/fuzz/regressions").join(name));
        let inputs = if *name == "args_encode" { strings() } else { seeds() };
        for (number, input) in inputs.iter().chain(&known).enumerate() {
            if let Some(directory) = &write {
                let directory = Path::new(directory).join(name);
                fs::create_dir_all(&directory).unwrap();
                fs::write(directory.join(format!("seed-{number:04}")), input).unwrap();
            }
            let survived = std::panic::catch_unwind(|| target(input));
            assert!(survived.is_ok(), "{name}: input {number}: {}", input.escape_ascii());
        }
    }
}
