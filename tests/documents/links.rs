//! Links of Markdown files.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::{files, name, no_problems, root};

#[test]
fn every_link_leads_somewhere() {
    let mut problems = Vec::new();
    let documents = files(root(), ".md");
    assert!(documents.len() > 10, "the documents were found");
    for path in documents {
        let page = Page::read(&path);
        for (line, link) in &page.links {
            if let Err(problem) = check(&path, link) {
                problems.push(format!("{}:{line}: ({link}) {problem}", name(&path)));
            }
        }
        for (line, file) in &page.files {
            if !root().join(file).exists() {
                problems.push(format!("{}:{line}: there is no {file}", name(&path)));
            }
        }
    }
    no_problems(&problems);
}

/// What a Markdown file refers to and what can be referred to in it. Lines are counted from 1.
#[derive(Default)]
struct Page {
    links: Vec<(usize, String)>,
    /// Paths of the repository that are named in code, such as `crates/at-codec/src/lib.rs`.
    files: Vec<(usize, String)>,
    anchors: HashSet<String>,
}

impl Page {
    fn read(path: &Path) -> Self {
        Self::of(&fs::read_to_string(path).unwrap())
    }

    fn of(text: &str) -> Self {
        let mut page = Self::default();
        let mut fenced = false;
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                page.add(number, line);
            }
        }
        page
    }

    fn add(&mut self, number: usize, line: &str) {
        if line.starts_with('#') {
            self.add_heading(line.trim_start_matches('#').trim());
        }
        // Every second part stands between backticks.
        let parts: Vec<_> = line.split('`').collect();
        for code in parts.iter().skip(1).step_by(2) {
            const PLACES: [&str; 5] = [".ci/", "crates/", "docs/", "examples/", "tests/"];
            let is_pattern = code.contains(['*', '<', '{', '…', ' ']);
            if PLACES.iter().any(|place| code.starts_with(place)) && !is_pattern {
                self.files.push((number, (*code).to_owned()));
            }
        }
        let text: String = parts.iter().step_by(2).copied().collect::<Vec<_>>().join("code");
        let inline = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        self.links.extend(inline.map(|(link, _)| (number, link.to_owned())));
        let definition = text.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        self.links.extend(definition.map(|(_, link)| (number, link.trim().to_owned())));
    }

    /// The anchor of a heading as GitHub makes it; further ones of the same name are numbered.
    fn add_heading(&mut self, heading: &str) {
        let kept = |it: &char| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_');
        let anchor: String = heading.to_lowercase().chars().filter(kept).collect();
        let anchor = anchor.replace(' ', "-");
        let numbered = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone()).chain(numbered).find(|it| !self.anchors.contains(it));
        self.anchors.extend(free);
    }
}

fn check(from: &Path, link: &str) -> Result<(), String> {
    if let Some(address) = link.strip_prefix("https://") {
        let host = address.split(['/', '#', '?']).next().unwrap_or_default();
        let is_host = host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
        return (is_host && !link.contains(' ')).then_some(()).ok_or_else(|| "is no address".into());
    }
    if link.contains(':') {
        return Err("is neither https nor a file of the repository".into());
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let target = if file.is_empty() { from.to_owned() } else { from.parent().unwrap().join(file) };
    let target = target.canonicalize().map_err(|_| "there is no such file".to_owned())?;
    if !target.starts_with(root().canonicalize().unwrap()) {
        return Err("leads out of the repository".into());
    }
    match anchor {
        Some(anchor) if !Page::read(&target).anchors.contains(anchor) => {
            Err("there is no such heading".into())
        }
        _ => Ok(()),
    }
}

#[test]
fn what_is_wrong_is_found() {
    let page = Page::of(
        "# One `two`, three!\n# One two three\n[a](b.md) `[c](d)`\n```\n[e](f)\n```\n[g]: h.md\n`docs/x.md`",
    );
    assert_eq!(page.links, [(3, "b.md".to_owned()), (7, "h.md".to_owned())]);
    assert_eq!(page.files, [(8, "docs/x.md".to_owned())]);
    assert!(page.anchors.contains("one-two-three") && page.anchors.contains("one-two-three-1"));

    let readme = root().join("README.md");
    for link in ["https://docs.rs/x", "docs/CLI.md", "docs/CLI.md#transcripts", "docs/decisions/"] {
        assert_eq!(check(&readme, link), Ok(()), "{link}");
    }
    for link in
        ["http://a.b", "https://", "https://a b.c", "nowhere.md", "docs/CLI.md#nowhere", "../x", "#nowhere"]
    {
        assert!(check(&readme, link).is_err(), "{link}");
    }
}
