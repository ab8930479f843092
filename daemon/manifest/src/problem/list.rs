//! All the problems of one manifest, as they are returned and reported.

use std::fmt;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::Problem;

/// A manifest that is wrong in more ways than this is reported with this many, and a count.
const MAX_REPORTED: usize = 100;

/// Everything that is wrong with one manifest: at least one problem, ordered by place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    // Boxed, to keep the error half of every result small.
    first: Box<Problem>,
    rest: Vec<Problem>,
    omitted: usize,
}

impl Problems {
    /// Orders what was found by place; none where nothing was found.
    pub(crate) fn gather(mut found: Vec<Problem>) -> Option<Self> {
        // A stable sort: problems of one place stay in the order in which they were found.
        found.sort_by_key(|problem| (problem.place().is_none(), problem.place()));
        let omitted = found.len().saturating_sub(MAX_REPORTED);
        found.truncate(MAX_REPORTED);
        let mut found = found.into_iter();
        Some(Self {
            first: Box::new(found.next()?),
            rest: found.collect(),
            omitted,
        })
    }

    /// The first by place; what an error file reports where there is room for one.
    #[must_use]
    pub fn first(&self) -> &Problem {
        &self.first
    }

    /// All of them that are reported, in order of place.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        std::iter::once(&*self.first).chain(&self.rest)
    }

    /// How many more there are than are reported.
    #[must_use]
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// The stable code of the first.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.first.code().as_str()
    }

    /// The hint of the first.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.first.hint().map(str::to_owned)
    }

    /// Whether all that is wrong is that something named does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.iter().all(|problem| problem.code().is_not_found())
    }

    /// The whole report with a file's name before each place, as compilers print it:
    /// `poster.toml:4:9: width is 1000; … [out-of-range]`, each hint on a line of its own.
    pub fn in_file<'a>(&'a self, file: &'a Path) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| self.report(f, Some(file)))
    }

    fn report(&self, f: &mut fmt::Formatter<'_>, file: Option<&Path>) -> fmt::Result {
        for (index, problem) in self.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match (file, problem.place()) {
                (Some(file), Some(_)) => write!(f, "{}:{problem}", file.display())?,
                (Some(file), None) => write!(f, "{}: {problem}", file.display())?,
                (None, _) => write!(f, "{problem}")?,
            }
            if let Some(hint) = problem.hint() {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        if self.omitted > 0 {
            write!(f, "\nand {} more", self.omitted)?;
        }
        Ok(())
    }

    pub(crate) fn rekeyed(mut self, key: impl Fn(&str) -> String) -> Self {
        self.first = Box::new(self.first.rekeyed(&key));
        self.rest = (self.rest.into_iter())
            .map(|problem| problem.rekeyed(&key))
            .collect();
        self
    }
}

impl From<Problem> for Problems {
    fn from(first: Problem) -> Self {
        Self {
            first: Box::new(first),
            rest: Vec::new(),
            omitted: 0,
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report(f, None)
    }
}

impl std::error::Error for Problems {}

impl Serialize for Problems {
    /// A list of the problems.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
