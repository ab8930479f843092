//! What the reference implementation says around a prompt, for each family.

use std::borrow::Cow;

use minijinja::{Value, context};
use tokenizers::PaddingDirection;

use crate::family::Family;

/// What dev's text encoder is told before the prompt. The line break is part of it.
const SYSTEM: &str = "You are an AI that reasons about image descriptions. You give structured \
     responses focusing on object relationships, object\nattribution and actions without speculation.";
/// What stands for a picture in a message to dev's text encoder. There are none in a prompt.
const PICTURE: &str = "[IMG]";

/// What fills a prompt up, where the tokenizer's files do not say.
pub(super) fn padding(family: Family) -> &'static str {
    match family {
        Family::Klein => "<|endoftext|>",
        Family::Dev => "<pad>",
    }
}

/// The side on which it does, where the tokenizer's files do not say.
pub(super) fn padding_side(family: Family) -> PaddingDirection {
    match family {
        Family::Klein => PaddingDirection::Right,
        Family::Dev => PaddingDirection::Left,
    }
}

/// The prompt as it is put into a message.
fn content(family: Family, prompt: &str) -> Cow<'_, str> {
    match family {
        Family::Dev if prompt.contains(PICTURE) => prompt.replace(PICTURE, "").into(),
        _ => prompt.into(),
    }
}

/// What a chat template sees besides special tokens: the messages, and how the answer, of which none
/// is wanted, would begin.
pub(super) fn conversation(family: Family, prompt: &str) -> Value {
    let prompt = content(family, prompt);
    match family {
        Family::Klein => context! {
            messages => [context! { role => "user", content => prompt }],
            tools => (),
            documents => (),
            add_generation_prompt => true,
            enable_thinking => false,
        },
        Family::Dev => {
            let text = |text: &str| [context! { type => "text", text => text }];
            context! {
                messages => [
                    context! { role => "system", content => text(SYSTEM) },
                    context! { role => "user", content => text(&prompt) },
                ],
                tools => (),
                documents => (),
                add_generation_prompt => false,
            }
        }
    }
}

/// What the chat template makes of the conversation, for models that come without one.
pub(super) fn dressed(family: Family, prompt: &str) -> String {
    let prompt = content(family, prompt);
    match family {
        Family::Klein => format!(
            "<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
        ),
        Family::Dev => {
            format!("<s>[SYSTEM_PROMPT]{SYSTEM}[/SYSTEM_PROMPT][INST]{prompt}[/INST]")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dev_knows_pictures() {
        let prompt = "[IMG]a [I[IMG]MG]fox";
        assert_eq!(content(Family::Klein, prompt), prompt);
        // One pass, as the reference makes it.
        assert_eq!(content(Family::Dev, prompt), "a [IMG]fox");
    }
}
