//! A page of the documentation, taken apart.

use std::fs;

use crate::tree;

/// A page, by its path from the root of the project.
pub struct Page {
    pub name: String,
    text: String,
}

/// What stands between two fences.
pub struct Block {
    /// What is written behind the first fence.
    pub language: String,
    pub text: String,
    /// Whether it follows another block with nothing between them.
    pub follows: bool,
}

impl Page {
    /// The README and everything in `docs`.
    pub fn all() -> Vec<Self> {
        let docs = tree::root().join("docs");
        let docs = tree::names(&docs).map(|name| format!("docs/{name}"));
        let pages: Vec<_> = docs.chain(["README.md".to_owned()]).collect();
        assert!(pages.len() > 5, "only {pages:?}");
        pages.iter().map(|name| Self::find(name).unwrap()).collect()
    }

    /// The page of this name.
    pub fn find(name: &str) -> Option<Self> {
        let text = fs::read_to_string(tree::root().join(name)).ok()?;
        Some(Self { name: name.to_owned(), text })
    }

    /// Whether this stands somewhere on it.
    pub fn says(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// The blocks between fences, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut parts = self.text.split("```");
        let mut before = parts.next().unwrap_or_default();
        while let (Some(inside), Some(after)) = (parts.next(), parts.next()) {
            let (language, text) = inside.split_once('\n').unwrap();
            let follows = !blocks.is_empty() && before.trim().is_empty();
            let [language, text] = [language, text].map(str::to_owned);
            blocks.push(Block { language, text, follows });
            before = after;
        }
        blocks
    }

    /// The cells of each row of its table that has one row for each `key`, without the head.
    pub fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.text.lines().filter_map(|line| line.strip_prefix("| `")).map(|line| {
            let cells = line.trim_end_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
    }

    /// The lines that look like rows, without the two lines before them that begin a table.
    pub fn rows_of_no_table(&self) -> Vec<&str> {
        let lines: Vec<_> = self.text.lines().collect();
        let groups = lines.chunk_by(|one, other| one.starts_with('|') == other.starts_with('|'));
        let rows = groups.filter(|group| group[0].starts_with('|'));
        let stray = rows.filter(|rows| {
            !rows.get(1).is_some_and(|rule| rule.replace(' ', "").starts_with("|---"))
        });
        stray.flatten().copied().collect()
    }

    /// The targets of its links.
    pub fn links(&self) -> Vec<String> {
        let targets = self.text.split("](").skip(1);
        targets.map(|rest| rest.split(')').next().unwrap().to_owned()).collect()
    }

    /// Whether a heading has this anchor; the empty one is the page itself.
    pub fn has_section(&self, anchor: &str) -> bool {
        let headings = self.text.lines().filter_map(|line| line.strip_prefix('#'));
        let mut anchors = headings.map(|heading| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            words.replace(' ', "-").replace(|c: char| !c.is_alphanumeric() && c != '-', "")
        });
        anchor.is_empty() || anchors.any(|known| known == anchor)
    }

    /// The file that a link of this page leads to, by its path from the root of the project.
    pub fn linked(&self, target: &str) -> String {
        match target.strip_prefix("../") {
            Some(file) => file.to_owned(),
            None if target.is_empty() => self.name.clone(),
            None => match self.name.split_once('/') {
                Some((directory, _)) => format!("{directory}/{target}"),
                None => target.to_owned(),
            },
        }
    }
}
