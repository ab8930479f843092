//! `--reference FILE [--also FILE]… [--prepare PLUGIN[:key=value,…]]…`: what belongs to which
//! reference is told by their order, as in `ffmpeg`; clap keeps that order as indices.

use std::path::PathBuf;

use atelier_manifest::RequestReference;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

/// The references of a command line, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct References(pub(super) Vec<RequestReference>);

impl Args for References {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new("reference")
                    .long("reference")
                    .value_name("FILE")
                    .help("Reference picture, image 1, 2, … of the prompt; may be given up to 10 times")
                    .action(ArgAction::Append)
                    .value_parser(value_parser!(PathBuf)),
            )
            .arg(
                Arg::new("also")
                    .long("also")
                    .value_name("FILE")
                    .help("Another file for the plugins of the reference before it")
                    .action(ArgAction::Append)
                    .value_parser(value_parser!(PathBuf)),
            )
            .arg(
                Arg::new("prepare")
                    .long("prepare")
                    .value_name("PLUGIN[:key=value,…]")
                    .help("Plugin that prepares the reference before it; before the first, all of them")
                    .action(ArgAction::Append),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for References {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut references = Self::default();
        references.update_from_arg_matches(matches)?;
        Ok(references)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let paths = placed::<PathBuf>(matches, "reference");
        let more = placed::<PathBuf>(matches, "also");
        let plugins = placed::<String>(matches, "prepare");
        self.0 = paths
            .iter()
            .enumerate()
            .map(|(nth, (place, path))| {
                let next = paths.get(nth + 1).map_or(usize::MAX, |(place, _)| *place);
                let first = paths[0].0;
                let here = |at: usize| *place < at && at < next;
                let prepare = plugins
                    .iter()
                    .filter(|(at, _)| *at < first || here(*at))
                    .map(|(_, plugin)| plugin.clone())
                    .collect();
                let also = more.iter().filter(|(at, _)| here(*at));
                RequestReference {
                    path: path.clone(),
                    also: also.map(|(_, path)| path.clone()).collect(),
                    prepare,
                }
            })
            .collect();
        if paths.is_empty() && !plugins.is_empty() {
            return Err(clap::Error::raw(
                clap::error::ErrorKind::MissingRequiredArgument,
                "--prepare needs a --reference to prepare\n",
            ));
        }
        let first = paths.first().map_or(usize::MAX, |(place, _)| *place);
        if more.iter().any(|(at, _)| *at < first) {
            return Err(clap::Error::raw(
                clap::error::ErrorKind::MissingRequiredArgument,
                "--also belongs to the --reference before it, and there is none\n",
            ));
        }
        Ok(())
    }
}

fn placed<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<(usize, T)> {
    let places = matches.indices_of(name).into_iter().flatten();
    let values = matches.get_many::<T>(name).into_iter().flatten().cloned();
    places.zip(values).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn parse(args: &[&str]) -> Vec<(String, Vec<String>)> {
        let command = References::augment_args(Command::new("test").no_binary_name(true));
        let matches = command.try_get_matches_from(args).unwrap();
        let references = References::from_arg_matches(&matches).unwrap();
        references
            .0
            .into_iter()
            .map(|r| (r.path.display().to_string(), r.prepare))
            .collect()
    }

    #[test]
    fn a_preparation_belongs_to_the_reference_before_it() {
        let one = |path: &str, prepare: &[&str]| {
            (
                path.to_owned(),
                prepare.iter().map(|&p| p.to_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            parse(&[
                "--reference",
                "a",
                "--reference",
                "b",
                "--prepare",
                "fit",
                "--prepare",
                "pose"
            ]),
            [one("a", &[]), one("b", &["fit", "pose"])]
        );
        assert_eq!(
            parse(&[
                "--prepare",
                "fit",
                "--reference",
                "a",
                "--prepare",
                "pose",
                "--reference",
                "b"
            ]),
            [one("a", &["fit", "pose"]), one("b", &["fit"])]
        );
    }
}
