//! Where keys belong: advice for a key that exists, but not there, or under another name.
//!
//! In TOML whatever follows a `[[reference]]` line belongs to that reference, so a `steps = 4` at
//! the end of a manifest is not where its author thinks it is. That is the most common slip of
//! all, and "unknown key" alone would not explain it.

/// Keys of the top of a manifest.
const TOP: [&str; 15] = [
    "manifest",
    "prompt",
    "negative",
    "model",
    "template",
    "width",
    "height",
    "steps",
    "guidance",
    "seed",
    "name",
    "priority",
    "lora",
    "reference",
    "init",
];

/// Keys that belong into a table, and the table. (`scale` and `path` are in several.)
const IN_TABLES: [(&str, &str); 8] = [
    ("format", "[output]"),
    ("quality", "[output]"),
    ("include_prompt", "[provenance]"),
    ("title", "[provenance]"),
    ("prepare", "[[reference]]"),
    ("mask", "[init]"),
    ("strength", "[init]"),
    ("extend", "[init]"),
];

/// What the keys are called elsewhere.
const ELSEWHERE: [(&str, &str); 31] = [
    ("batch", "seed = { start = 1, count = 8 }"),
    ("batch_size", "seed = { start = 1, count = 8 }"),
    ("cfg", "guidance"),
    ("cfg_scale", "guidance"),
    ("checkpoint", "model"),
    ("denoise", "strength, in [init]"),
    ("denoising_strength", "strength, in [init]"),
    ("file", "path"),
    ("filename", "name"),
    ("guidance_scale", "guidance"),
    ("image", "[[reference]]"),
    ("images", "[[reference]]"),
    ("init_image", "path, in [init]"),
    ("inpaint", "mask, in [init]"),
    ("input", "[[reference]]"),
    ("lora_weights", "lora"),
    ("mask_image", "mask, in [init]"),
    ("negative_prompt", "negative"),
    ("num_images", "seed = { start = 1, count = 8 }"),
    ("num_inference_steps", "steps"),
    ("outpaint", "extend, in [init]"),
    ("output_format", "format, in [output]"),
    ("plugins", "prepare, in [[reference]]"),
    ("preset", "template"),
    ("references", "[[reference]], once for each"),
    ("seeds", "seed"),
    ("size", "width and height"),
    ("source", "path, in [init]"),
    ("text", "prompt"),
    ("version", "manifest"),
    ("weight", "scale"),
];

/// What to say about a key that is not known in the table at `path` (empty: the top).
pub(super) fn advice(name: &str, path: &str) -> Option<String> {
    if !path.is_empty() && TOP.contains(&name) {
        return Some(format!(
            "{name} belongs at the top of the manifest, before the first [table]: what follows a \
             [table] line is part of that table"
        ));
    }
    let inner = |table: &str| table.trim_matches(['[', ']']).to_owned();
    if let Some((_, table)) = IN_TABLES.iter().find(|(key, _)| *key == name) {
        let there = path.split('[').next() == Some(inner(table).as_str());
        return (!there).then(|| format!("{name} belongs in {table}"));
    }
    let (_, ours) = ELSEWHERE.iter().find(|(theirs, _)| *theirs == name)?;
    // Most of these are keys of the top, and two of tables; elsewhere they would only mislead.
    let of_tables = matches!(*ours, "path" | "scale");
    (path.is_empty() != of_tables).then(|| format!("did you mean {ours}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_wrong_table_is_sent_home() {
        let advice = |name, path| advice(name, path).unwrap_or_default();
        assert!(advice("steps", "reference[2]").starts_with("steps belongs at the top"));
        assert_eq!(advice("quality", ""), "quality belongs in [output]");
        assert_eq!(advice("title", "output"), "title belongs in [provenance]");
        assert_eq!(advice("quality", "output"), "");
        assert_eq!(advice("mask", ""), "mask belongs in [init]");
        assert_eq!(advice("strength", "init"), "");
    }

    #[test]
    fn names_of_other_tools_are_translated() {
        let advice = |name, path| advice(name, path).unwrap_or_default();
        assert_eq!(advice("cfg", ""), "did you mean guidance?");
        assert_eq!(advice("file", "reference[1]"), "did you mean path?");
        assert_eq!(advice("weight", "lora[1]"), "did you mean scale?");
        assert_eq!(advice("cfg", "output"), "");
        assert_eq!(advice("denoise", ""), "did you mean strength, in [init]?");
        assert_eq!(advice("nothing", ""), "");
    }
}
