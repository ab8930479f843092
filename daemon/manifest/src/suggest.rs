//! "Did you mean …?": the nearest of the names that are known.

/// Longer names than this are not compared: nobody mistypes them, and comparing costs the product
/// of the lengths.
const LONGEST: usize = 64;

/// The known name nearest to what was said, where one is near enough to be meant: at most a third
/// of its letters (and at least one) wrong, missing, added or swapped with their neighbour.
pub(crate) fn nearest<'a>(said: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let said: Vec<char> = fold(said);
    if said.len() > LONGEST {
        return None;
    }
    known
        .into_iter()
        .filter_map(|name| {
            let letters = fold(name);
            let allowed = (letters.len().min(said.len()) / 3).max(1);
            let near = letters.len().abs_diff(said.len()) <= allowed;
            let distance = near.then(|| distance(&said, &letters))?;
            (distance <= allowed && distance < letters.len()).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// "did you mean NAME?", or the list of names where none is near and there are few.
pub(crate) fn advice(said: &str, known: &[String]) -> Option<String> {
    const FEW: usize = 12;
    if let Some(name) = nearest(said, known.iter().map(String::as_str)) {
        return Some(format!("did you mean {name:?}?"));
    }
    (!known.is_empty() && known.len() <= FEW).then(|| {
        let names: Vec<_> = known.iter().map(|name| format!("{name:?}")).collect();
        format!("there is {}", names.join(", "))
    })
}

/// Letters alone, so that `negativePrompt`, `negative-prompt` and `negative_prompt` are one.
fn fold(name: &str) -> Vec<char> {
    name.chars()
        .filter(|letter| !matches!(letter, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, right) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(left != right))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = ["width", "height", "prompt", "steps", "seed", "pose"];

    #[test]
    fn slips_are_understood() {
        for (said, meant) in [
            ("widthh", "width"),
            ("Width", "width"),
            ("heightt", "height"),
            ("promptx", "prompt"),
            ("stepss", "steps"),
            ("seeds", "seed"),
            ("psoe", "pose"),
        ] {
            assert_eq!(nearest(said, KEYS), Some(meant), "{said}");
        }
    }

    #[test]
    fn other_words_are_not_mistaken() {
        for said in [
            "",
            "x",
            "sampler",
            "strength",
            "wwwwwwww",
            &"w".repeat(10_000),
        ] {
            assert_eq!(nearest(said, KEYS), None, "{said}");
        }
    }

    #[test]
    fn a_short_list_is_told() {
        let known = ["klein-4b".to_owned(), "dev".to_owned()];
        assert_eq!(
            advice("klein-5b", &known).as_deref(),
            Some("did you mean \"klein-4b\"?")
        );
        assert_eq!(
            advice("sdxl-turbo", &known).as_deref(),
            Some("there is \"klein-4b\", \"dev\"")
        );
        assert_eq!(advice("sdxl", &[]), None);
    }
}
