//! The facts of one making, as plain data: what the daemon knows and provenance may state.
//!
//! Nothing here is text of the user's unless the user asked for it: there is no field for a path,
//! a file name or a host, so none can slip into a manifest.

use std::{fmt, sync::Arc};

use crate::ProvenanceError;

/// What is to be said about one picture.
#[derive(Clone, Debug, Default)]
pub struct Making {
    /// The version of the program, "0.1.0".
    pub program_version: String,
    /// A title, if the user gave one. Signed after control and direction characters are removed
    /// and it is cut to 200 characters.
    pub title: Option<String>,
    /// The model that made the picture.
    pub model: ModelFacts,
    /// The LoRA files that changed the model, in order.
    pub loras: Vec<LoraFacts>,
    /// The references, in any order; their numbers are what the prompt calls them.
    pub references: Vec<ReferenceFacts>,
    /// The prompt, only if the user asked for it to be signed.
    pub prompt: Option<String>,
    /// How the pixels came to be.
    pub operation: Operation,
}

/// The model, as far as it is to be named.
#[derive(Clone, Debug, Default)]
pub struct ModelFacts {
    /// Its name, "FLUX.2 \[klein\] 4B". Of a path, the last component is used.
    pub name: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// SHA-256 of the weights, 64 hexadecimal digits.
    pub sha256: String,
    /// Where it is published, as a package URL: `pkg:huggingface/owner/name`. Anything that is
    /// neither a package URL nor an https address is left out.
    pub identifier: Option<String>,
    /// Which variant ran, "klein-4b bf16".
    pub variant: String,
}

/// One LoRA file. Its name is the user's, and often that of a person: it is not stated.
#[derive(Clone, Debug, Default)]
pub struct LoraFacts {
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// How strongly it was applied.
    pub scale: f32,
}

/// One picture that went in: the file the user gave, before any plugin touched it.
#[derive(Clone, Default)]
pub struct ReferenceFacts {
    /// Its number among all that went in, from 1; references come first.
    pub number: u32,
    /// What it was for.
    pub role: Role,
    /// SHA-256 of the original file, 64 hexadecimal digits.
    pub sha256: String,
    /// Its MIME type, if known.
    pub format: Option<String>,
    /// The original file, so that a manifest it carries is kept. With `None`, or for a file
    /// without a readable manifest, the reference is bound by its SHA-256 alone.
    pub bytes: Option<Arc<[u8]>>,
    /// What was done to it before the model saw it, in order.
    pub prepared_by: Vec<StepFacts>,
}

/// What a picture that went in was for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Something to go by.
    #[default]
    Reference,
    /// What the picture was begun from.
    Base,
    /// Where the base was painted anew.
    Mask,
}

/// One plugin step.
#[derive(Clone, Debug, Default)]
pub struct StepFacts {
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// SHA-256 of the WebAssembly module that ran, 64 hexadecimal digits.
    pub module_sha256: String,
    /// What the plugin said about its work. At most 16 pairs are signed; keys are reduced to
    /// letters, digits, `-` and `_`, values are cleaned like titles and cut to 256 characters.
    pub notes: Vec<(String, String)>,
}

/// How the pixels came to be; decides the C2PA actions and the digital source type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operation {
    /// Every pixel is the model's, from text alone or with references or a picture to begin from as
    /// inputs: `c2pa.created` with `trainedAlgorithmicMedia`.
    #[default]
    Generate,
    /// Part of a picture is kept, as in inpainting and outpainting: `c2pa.opened` of that picture,
    /// then `c2pa.edited` with `compositeWithTrainedAlgorithmicMedia`.
    Edit {
        /// The number of the picture whose pixels are partly kept.
        base: u32,
    },
}

impl Making {
    /// Checks what no reader of the manifest could: that digests are digests, that references
    /// have distinct numbers, and that an edit names one of them.
    pub(crate) fn check(&self) -> Result<(), ProvenanceError> {
        let wrong = |what: String| Err(ProvenanceError::Making(what));
        if !is_sha256(&self.model.sha256) {
            return wrong("the model's sha256 is not 64 hexadecimal digits".into());
        }
        if self.loras.iter().any(|lora| !is_sha256(&lora.sha256)) {
            return wrong("the sha256 of a LoRA is not 64 hexadecimal digits".into());
        }
        for (index, reference) in self.references.iter().enumerate() {
            let number = reference.number;
            if !is_sha256(&reference.sha256) {
                return wrong(format!(
                    "the sha256 of reference {number} is not 64 hexadecimal digits"
                ));
            }
            if self.references[..index]
                .iter()
                .any(|other| other.number == number)
            {
                return wrong(format!("two references have the number {number}"));
            }
            if let Some(step) = reference
                .prepared_by
                .iter()
                .find(|s| !is_sha256(&s.module_sha256))
            {
                return wrong(format!(
                    "the module sha256 of plugin {} is not 64 hexadecimal digits",
                    step.plugin
                ));
            }
        }
        match self.operation {
            Operation::Edit { base } if !self.references.iter().any(|r| r.number == base) => {
                wrong(format!("there is no reference {base} to edit"))
            }
            Operation::Edit { .. } | Operation::Generate => Ok(()),
        }
    }
}

impl fmt::Debug for ReferenceFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceFacts")
            .field("number", &self.number)
            .field("role", &self.role)
            .field("sha256", &self.sha256)
            .field("format", &self.format)
            .field("bytes", &self.bytes.as_ref().map(|bytes| bytes.len()))
            .field("prepared_by", &self.prepared_by)
            .finish()
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::{LoraFacts, Making, Operation, ReferenceFacts};

    fn making() -> Making {
        let mut making = Making::default();
        making.model.sha256 = "ab".repeat(32);
        for number in [1, 2] {
            making.references.push(ReferenceFacts {
                number,
                sha256: "CD".repeat(32),
                ..ReferenceFacts::default()
            });
        }
        making
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(making().check().is_ok());
        let spoil: [fn(&mut Making); 5] = [
            |m| m.model.sha256.truncate(63),
            |m| m.loras.push(LoraFacts::default()),
            |m| m.references[1].sha256 = "zz".repeat(32),
            |m| m.references[1].number = 1,
            |m| m.operation = Operation::Edit { base: 3 },
        ];
        for spoil in spoil {
            let mut spoilt = making();
            spoil(&mut spoilt);
            let code = spoilt.check().map_err(|error| error.code());
            assert_eq!(code, Err("making-invalid"), "{spoilt:?}");
        }
    }

    #[test]
    fn debug_output_holds_no_picture() {
        let mut reference = making().references.remove(0);
        reference.bytes = Some(vec![7_u8; 4].into());
        assert!(format!("{reference:?}").contains("bytes: Some(4)"));
    }
}
