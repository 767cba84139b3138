//! Messages in the XML that SMQ's API answers with:
//! <https://www.alibabacloud.com/help/en/mns/developer-reference/batchpeekmessage>.
//!
//! No entity is expanded but those that XML itself knows, and a document type is refused.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// The element that holds what was sent. Its namespace may have any prefix.
const BODY: &str = "MessageBody";

/// What a text holds from its first element to the end of it.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The bodies of the messages, in order of appearance. With a fault, those before it.
    pub(super) bodies: Vec<Body>,
    /// Where the last tag that was read ends, in bytes: the end of the document.
    pub(super) end: usize,
    /// Where the last body's element ends, in bytes.
    pub(super) last_body_end: usize,
    /// What is wrong behind the last body.
    pub(super) fault: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct Body {
    /// Where its element begins, in bytes.
    pub(super) start: usize,
    pub(super) text: String,
}

/// Reads the document that a text begins with.
pub(super) fn read(text: &str) -> Document {
    let mut document = Document::default();
    document.fault = match read_to_end(text, &mut document) {
        Ok(()) if document.bodies.is_empty() => {
            Some("XML without a MessageBody: an answer of SMQ with messages has one for each")
        }
        Ok(()) => None,
        Err(problem) => Some(problem),
    };
    document
}

fn read_to_end(text: &str, document: &mut Document) -> Result<(), &'static str> {
    let mut reader = Reader::from_str(text);
    let mut depth = 0;
    // The body whose element is open.
    let mut open: Option<Body> = None;
    loop {
        let start = document.end;
        let event = reader.read_event();
        let is_tag = matches!(event, Ok(Event::Start(_) | Event::Empty(_) | Event::End(_)));
        let position = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        match event {
            Ok(Event::Start(_) | Event::Empty(_)) if open.is_some() => {
                return Err("an element within a MessageBody: the text before it breaks off");
            }
            Ok(Event::Start(tag)) => {
                depth += 1;
                if tag.local_name().as_ref() == BODY {
                    let text = String::new();
                    open = Some(Body { start, text });
                }
            }
            Ok(Event::End(_)) => {
                depth -= 1;
                if let Some(body) = open.take() {
                    document.bodies.push(body);
                    document.last_body_end = position;
                }
            }
            Ok(Event::Text(piece)) => add(&mut open, &piece.xml10_content()),
            Ok(Event::CData(piece)) => add(&mut open, &piece.xml10_content()),
            Ok(Event::GeneralRef(reference)) => {
                if let Some(body) = &mut open {
                    body.text.push(resolve(&reference)?);
                }
            }
            Ok(Event::DocType(_)) => {
                return Err("XML with a document type: take it off, no message has one");
            }
            Ok(Event::Eof) => return Err("the XML breaks off: the file may be cut off here"),
            Ok(Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => {}
            Err(quick_xml::Error::Syntax(_)) => {
                return Err("the XML breaks off within a tag: the file may be cut off here");
            }
            Err(_) => return Err("not well-formed XML"),
        }
        if is_tag {
            document.end = position;
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

fn add(open: &mut Option<Body>, piece: &str) {
    if let Some(body) = open {
        body.text.push_str(piece);
    }
}

/// Returns the character that a reference in a text stands for.
fn resolve(reference: &BytesRef) -> Result<char, &'static str> {
    match &**reference {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => {
            let number = reference.resolve_char_ref().ok().flatten();
            number.ok_or("XML with an entity of its own, which is not expanded")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(text: &str) -> Vec<String> {
        let document = read(text);
        assert!(document.fault.is_none(), "{text}: {:?}", document.fault);
        let bodies = document.bodies.into_iter();
        bodies.map(|body| body.text).collect()
    }

    fn problem(text: &str) -> &'static str {
        read(text).fault.unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_message_and_a_batch_give_their_bodies() {
        let one = "<?xml version=\"1.0\"?>\n<Message xmlns=\"http://mns.aliyuncs.com/doc/v1/\"><MessageId>1</MessageId><MessageBody>e30=</MessageBody></Message>";
        assert_eq!(bodies(one), ["e30="]);
        let two = "<m:Messages><m:Message><m:MessageBody>{&quot;a&quot;:&#x22;&lt;&amp;&gt;&apos;&#34;}</m:MessageBody></m:Message><!-- --><m:Message><m:MessageBody> <![CDATA[{\"b\":\"]] >&amp;\"}]]>\n</m:MessageBody></m:Message></m:Messages>";
        let expected = ["{\"a\":\"<&>'\"}", " {\"b\":\"]] >&amp;\"}\n"];
        assert_eq!(bodies(two), expected);
    }

    #[test]
    fn a_document_ends_with_its_first_element() {
        let first = "<Message><MessageBody>a</MessageBody></Message>";
        let document = read(&format!("{first}\n{{}}"));
        assert_eq!(document.end, first.len());
        assert_eq!(document.bodies[0].start, "<Message>".len());
    }

    #[test]
    fn no_entity_is_expanded() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><Message><MessageBody>&b;</MessageBody></Message>";
        assert!(problem(bomb).contains("document type"));
        let unknown = "<Message><MessageBody>&b;</MessageBody></Message>";
        assert!(problem(unknown).contains("not expanded"));
        for odd in [
            "&#0;",
            "&#xd800;",
            "&#x110000;",
            "&#;",
            "& ",
            "&#99999999999;",
        ] {
            let text = format!("<Message><MessageBody>{odd}</MessageBody></Message>");
            problem(&text);
        }
    }

    #[test]
    fn what_breaks_off_keeps_the_bodies_before() {
        let text = "<Messages><Message><MessageBody>a</MessageBody></Message><Message><MessageBody>b</MessageBody></Message></Messages>";
        for end in 0..text.len() {
            let document = read(&text[..end]);
            assert!(document.fault.is_some());
            assert!(document.last_body_end <= document.end && document.end <= end);
            let whole = text[..end].matches("</MessageBody>").count();
            assert_eq!(document.bodies.len(), whole, "{}", &text[..end]);
        }
    }

    #[test]
    fn other_xml_is_a_fault() {
        assert!(problem("<Error><Code>MessageNotExist</Code></Error>").contains("MessageBody"));
        assert!(problem("<a></b>").contains("well-formed"));
        assert!(problem("<Message><MessageBody>a<b/></MessageBody></Message>").contains("element"));
    }
}
