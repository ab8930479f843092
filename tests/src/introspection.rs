//! D-Bus introspection XML, as far as comparing two descriptions of an interface needs it.

use std::collections::BTreeSet;

/// One interface: its members as one line of text each, so that a difference reads by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Lines as `method SubmitPath(in s path, in a{sv} options, out o job)`.
    pub members: BTreeSet<String>,
}

impl Interface {
    /// Finds an interface in a document of `<node>`s; comments and order play no part.
    ///
    /// # Panics
    ///
    /// When it is not there, or the document is not what introspection looks like.
    #[must_use]
    pub fn find(document: &str, name: &str) -> Self {
        let mut members = BTreeSet::new();
        let mut found = false;
        let mut inside = false;
        let mut member: Option<Member> = None;
        for tag in Tag::all(document) {
            match (tag.name.as_str(), tag.closing) {
                ("interface", closing) => {
                    inside = !closing && tag.get("name") == name;
                    found |= inside;
                }
                _ if !inside => {}
                ("method" | "signal" | "property", closing) => {
                    if !closing {
                        member = Some(Member::new(&tag));
                    }
                    if closing || tag.empty {
                        members.extend(member.take().map(Member::line));
                    }
                }
                ("arg", false) => member
                    .as_mut()
                    .expect("an argument of a member")
                    .argument(&tag),
                ("annotation", false) => {
                    if let Some(member) = &mut member {
                        member.annotate(&tag);
                    }
                }
                _ => {}
            }
        }
        assert!(found, "no interface {name} in:\n{document}");
        Self { members }
    }
}

/// A member while its children are read.
struct Member {
    kind: String,
    name: String,
    /// A property's type and access.
    facts: String,
    arguments: Vec<String>,
    annotations: BTreeSet<String>,
}

impl Member {
    fn new(tag: &Tag) -> Self {
        let facts = match tag.name.as_str() {
            "property" => format!(" {} {}", tag.get("type"), tag.get("access")),
            _ => String::new(),
        };
        Self {
            kind: tag.name.clone(),
            name: tag.get("name").to_owned(),
            facts,
            arguments: Vec::new(),
            annotations: BTreeSet::new(),
        }
    }

    fn argument(&mut self, tag: &Tag) {
        let direction = match (self.kind.as_str(), tag.get("direction")) {
            ("signal", _) => "",
            (_, "out") => "out ",
            _ => "in ",
        };
        self.arguments.push(format!(
            "{direction}{} {}",
            tag.get("type"),
            tag.get("name")
        ));
    }

    fn annotate(&mut self, tag: &Tag) {
        let name = tag
            .get("name")
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned();
        // "true" is what a property does that says nothing.
        if (name.as_str(), tag.get("value")) != ("EmitsChangedSignal", "true") {
            self.annotations
                .insert(format!("{name}={}", tag.get("value")));
        }
    }

    fn line(self) -> String {
        let arguments = if self.kind == "property" {
            String::new()
        } else {
            format!("({})", self.arguments.join(", "))
        };
        let annotations: String = self
            .annotations
            .iter()
            .map(|text| format!(" [{text}]"))
            .collect();
        format!(
            "{} {}{}{arguments}{annotations}",
            self.kind, self.name, self.facts
        )
    }
}

/// `<name key="value" …>`
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    closing: bool,
    empty: bool,
}

impl Tag {
    /// Every tag, in order; comments, declarations and text are left out.
    fn all(document: &str) -> Vec<Self> {
        let mut tags = Vec::new();
        let mut rest = document;
        while let Some(start) = rest.find('<') {
            rest = &rest[start..];
            let end = if rest.starts_with("<!--") {
                rest.find("-->").map(|at| at + 3)
            } else {
                rest.find('>').map(|at| at + 1)
            }
            .expect("every < has its >");
            let (tag, after) = rest.split_at(end);
            if !tag.starts_with("<!") && !tag.starts_with("<?") {
                tags.push(Self::parse(&tag[1..tag.len() - 1]));
            }
            rest = after;
        }
        tags
    }

    fn parse(inside: &str) -> Self {
        let (closing, inside) = inside
            .strip_prefix('/')
            .map_or((false, inside), |rest| (true, rest));
        let (empty, inside) = inside
            .strip_suffix('/')
            .map_or((false, inside), |rest| (true, rest));
        let (name, mut rest) = inside
            .trim()
            .split_once(char::is_whitespace)
            .unwrap_or((inside.trim(), ""));
        let mut attributes = Vec::new();
        while let Some((key, after)) = rest.split_once('=') {
            let after = after.trim_start();
            let quote = after.chars().next().expect("a value follows =");
            let (value, after) = after[1..].split_once(quote).expect("a value ends");
            attributes.push((key.trim().to_owned(), value.to_owned()));
            rest = after;
        }
        Self {
            name: name.to_owned(),
            attributes,
            closing,
            empty,
        }
    }

    fn get(&self, key: &str) -> &str {
        self.attributes
            .iter()
            .find(|(name, _)| name == key)
            .map_or("", |(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::Interface;

    const DOCUMENT: &str = r#"<!DOCTYPE node PUBLIC "a" "b">
        <node><!-- <interface name="x.Commented"/> -->
        <interface name="x.Other"><method name="No"/></interface>
        <interface name='x.One'>
          <method name="Go"><arg name="path" type="s" direction="in"/><arg type="o" name="job" direction="out"/></method>
          <method name="Stop"></method>
          <property name="Version" type="s" access="read">
            <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/>
          </property>
          <signal name="Gone"><arg name="job" type="o"/></signal>
        </interface></node>"#;

    #[test]
    fn members_are_lines_whatever_their_order_and_spelling() {
        let members: Vec<String> = Interface::find(DOCUMENT, "x.One")
            .members
            .into_iter()
            .collect();
        assert_eq!(
            members,
            [
                "method Go(in s path, out o job)",
                "method Stop()",
                "property Version s read [EmitsChangedSignal=const]",
                "signal Gone(o job)",
            ]
        );
    }

    #[test]
    #[should_panic(expected = "no interface x.Commented")]
    fn what_is_commented_out_is_not_there() {
        let _ = Interface::find(DOCUMENT, "x.Commented");
    }
}
