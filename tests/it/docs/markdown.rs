//! A page as its parts: headings, tables, code, links.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A page, read.
pub struct Page {
    /// The path in the repository.
    pub path: String,
    pub sections: Vec<Section>,
}

/// A heading and what follows it, up to the next heading of any level.
#[derive(Default)]
pub struct Section {
    /// 1 to 6; 0 is what stands above the first heading.
    pub level: usize,
    pub heading: String,
    pub tables: Vec<Vec<Vec<Cell>>>,
    pub blocks: Vec<Block>,
    /// Code within text.
    pub spans: Vec<String>,
    /// Where links and images lead.
    pub links: Vec<String>,
}

/// A cell of a table.
#[derive(Default, Debug)]
pub struct Cell {
    pub text: String,
    pub spans: Vec<String>,
}

/// A fenced block.
pub struct Block {
    pub language: String,
    pub text: String,
}

impl Page {
    pub fn read(path: &str, text: &str) -> Page {
        let mut sections = vec![Section::default()];
        let (mut in_heading, mut in_cell, mut in_block) = (false, false, false);
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            if let Event::Start(Tag::Heading { level, .. }) = &event {
                in_heading = true;
                sections.push(Section {
                    level: *level as usize,
                    ..Section::default()
                });
            }
            let section = sections.last_mut().unwrap();
            match event {
                Event::End(TagEnd::Heading(_)) => in_heading = false,
                Event::Start(Tag::Table(_)) => section.tables.push(Vec::new()),
                Event::Start(Tag::TableHead | Tag::TableRow) => {
                    section.tables.last_mut().unwrap().push(Vec::new());
                }
                Event::Start(Tag::TableCell) => {
                    in_cell = true;
                    let row = section.tables.last_mut().unwrap().last_mut().unwrap();
                    row.push(Cell::default());
                }
                Event::End(TagEnd::TableCell) => in_cell = false,
                Event::Start(Tag::CodeBlock(kind)) => {
                    in_block = true;
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.into_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    let text = String::new();
                    section.blocks.push(Block { language, text });
                }
                Event::End(TagEnd::CodeBlock) => in_block = false,
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    section.links.push(dest_url.into_string());
                }
                Event::Text(text) => {
                    if in_heading {
                        section.heading.push_str(&text);
                    } else if in_block {
                        section.blocks.last_mut().unwrap().text.push_str(&text);
                    } else if in_cell {
                        let row = section.tables.last_mut().unwrap().last_mut().unwrap();
                        row.last_mut().unwrap().text.push_str(&text);
                    }
                }
                Event::Code(code) => {
                    section.spans.push(code.to_string());
                    if in_heading {
                        section.heading.push_str(&code);
                    } else if in_cell {
                        let row = section.tables.last_mut().unwrap().last_mut().unwrap();
                        row.last_mut().unwrap().spans.push(code.into_string());
                    }
                }
                _ => {}
            }
        }
        Page {
            path: path.to_owned(),
            sections,
        }
    }

    pub fn section(&self, heading: &str) -> &Section {
        let mut sections = self.sections.iter();
        sections
            .find(|section| section.heading == heading)
            .unwrap_or_else(|| panic!("{} has no heading {heading}", self.path))
    }

    /// The anchors of the headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.sections.iter().skip(1).map(|section| &section.heading);
        headings.map(|heading| anchor(heading)).collect()
    }
}

impl Section {
    /// The commands in the blocks of shell: each with its continuations, without comments.
    pub fn commands(&self) -> Vec<String> {
        let mut commands: Vec<String> = Vec::new();
        for block in self.blocks.iter().filter(|block| block.language == "sh") {
            let mut open = String::new();
            for line in block.text.lines() {
                let line = without_comment(line);
                open.push_str(line.trim_end_matches('\\'));
                if !line.ends_with('\\') && !open.trim().is_empty() {
                    commands.push(std::mem::take(&mut open).trim().to_owned());
                }
            }
        }
        commands
    }

    /// The text of the blocks in a language.
    pub fn blocks_in(&self, language: &str) -> Vec<&str> {
        let blocks = self.blocks.iter();
        let blocks = blocks.filter(|block| block.language == language);
        blocks.map(|block| block.text.as_str()).collect()
    }
}

/// A line of shell without the comment at its end.
pub fn without_comment(line: &str) -> &str {
    let line = match line.split_once(" #") {
        Some((code, _)) => code,
        None if line.trim_start().starts_with('#') => "",
        None => line,
    };
    line.trim_end()
}

fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn a_page_is_read_as_its_parts() {
    let text = "# A `b`\n\n[x](y.md#z) `code`\n\n## C, d\n\n| a | `b` |\n|---|---|\n| c | d `e` `f` |\n\n```sh\n# why\ncargo a \\\n  b   # c\n\nx\n```\n";
    let page = Page::read("page", text);
    let [_, first, second] = &page.sections[..] else {
        panic!("two headings")
    };
    assert_eq!((first.level, first.heading.as_str()), (1, "A b"));
    assert_eq!(first.links, ["y.md#z"]);
    assert_eq!(first.spans, ["b", "code"]);
    assert_eq!(page.anchors(), ["a-b", "c-d"]);
    assert_eq!(second.tables[0].len(), 2);
    assert_eq!(second.tables[0][1][1].spans, ["e", "f"]);
    assert_eq!(second.commands(), ["cargo a   b", "x"]);
}
