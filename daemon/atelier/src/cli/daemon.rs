//! `atelier daemon`: the daemon, in the foreground.

use clap::Args;

use super::Place;
use crate::config::Config;
use crate::daemon;
use crate::fault::Fault;

/// How to run.
#[derive(Debug, Args)]
pub(super) struct DaemonArgs {
    /// Do without D-Bus: folders only
    #[arg(long)]
    no_dbus: bool,
}

pub(super) fn run(place: &Place, args: DaemonArgs) -> Result<(), Fault> {
    let home = place.home()?;
    home.create()?;
    if place.config.is_none() {
        Config::write_default(&home)?;
    }
    let config = Config::load(&home, place.config.as_deref())?;
    daemon::run(home, config, !args.no_dbus)
}
