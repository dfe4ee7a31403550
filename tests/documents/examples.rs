//! Examples of public items.
//!
//! The rule: every public type, trait and free function has an example in its documentation, or says where one is or
//! why there is none. Among the many types of the vendors' commands it is asked of those that are commands: each shows
//! its line; what their arguments and answers are is seen there. Methods are shown with their type.

use std::fs;
use std::path::Path;

use super::{files, name, no_problems, root};

#[test]
fn every_public_item_has_an_example_or_says_why_not() {
    let (mut problems, mut count) = (Vec::new(), 0);
    for library in ["at-codec", "at-port", "mqtt-at", "virtual-modem"] {
        let sources = files(&root().join("crates").join(library).join("src"), ".rs");
        for path in sources.iter().filter(|path| !is_test(path)) {
            let text = fs::read_to_string(path).unwrap();
            let is_vocabulary = ["mqtt-at/src/common/", "mqtt-at/src/dialect/"];
            let is_vocabulary = is_vocabulary.iter().any(|part| name(path).contains(part));
            for item in items(&text) {
                count += 1;
                if !item.has_example && (!is_vocabulary || is_command(&text, &item.name)) {
                    problems.push(format!("{}: {}", name(path), item.name));
                }
            }
        }
    }
    no_problems(&problems);
    assert!(count > 400, "the items were found");
}

fn is_test(path: &Path) -> bool {
    let name = name(path);
    name.contains("/tests") || name.ends_with("/script.rs") || name.contains("/replay/")
}

fn is_command(text: &str, name: &str) -> bool {
    [format!("Command for {name} {{"), format!("Command for {name}<")].iter().any(|it| text.contains(it))
}

struct Item {
    name: String,
    has_example: bool,
}

/// The public items of a source that stand at the start of a line, with what their documentation has.
fn items(text: &str) -> Vec<Item> {
    let (mut found, mut has_example) = (Vec::new(), false);
    for line in text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")) {
        if let Some(documentation) = line.strip_prefix("///") {
            has_example |= documentation.contains("```") || documentation.contains("example");
        } else if let Some(item) = line.strip_prefix("pub ") {
            let words = item.split([' ', '(', '<', '{', ';', ':']).filter(|word| !word.is_empty());
            let mut words = words.skip_while(|word| matches!(*word, "async" | "const"));
            if matches!(words.next(), Some("struct" | "enum" | "trait" | "fn" | "type")) {
                found.push(Item { name: words.next().unwrap().to_owned(), has_example });
            }
        }
        // Attributes may stand between, on several lines.
        if line.is_empty() || line == "}" {
            has_example = false;
        }
    }
    found
}

#[test]
fn what_is_missing_is_found() {
    let text = "/// A.\n///\n/// ```\n/// ```\n#[derive(Debug)]\npub struct A;\n\n/// B.\npub async fn b() {\n}\npub(crate) struct C;\n";
    let found: Vec<_> = items(text).into_iter().map(|item| (item.name, item.has_example)).collect();
    assert_eq!(found, [("A".to_owned(), true), ("b".to_owned(), false)]);
}
