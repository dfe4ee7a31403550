//! Failures of `mqttat` that documents quote.

use std::fs;

use super::{files, name, no_problems, root};

/// What stands behind the fault is always a text of the sources: it must still be there, word for word.
#[test]
fn every_quoted_failure_is_in_the_programs_words() {
    let sources: Vec<_> = files(&root().join("crates"), ".rs")
        .iter()
        .map(|path| in_one_line(&fs::read_to_string(path).unwrap()))
        .collect();
    let (mut problems, mut count) = (Vec::new(), 0);
    for path in files(root(), ".md") {
        let text = fs::read_to_string(&path).unwrap();
        let quoted = text.lines().filter(|line| line.starts_with("mqttat: "));
        for remedy in quoted.filter_map(|line| line.split_once("]; ")).map(|(_, remedy)| remedy) {
            count += 1;
            if !sources.iter().any(|source| source.contains(remedy)) {
                problems.push(format!("{}: nothing says {remedy:?}", name(&path)));
            }
        }
    }
    no_problems(&problems);
    assert!(count > 10, "the quotes were found");
}

/// A source whose string literals are not cut by line ends.
fn in_one_line(source: &str) -> String {
    let mut lines = source.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| text + line.trim_start())
}
