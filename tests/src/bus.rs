//! A D-Bus of a test's own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// An address where nobody listens, for tests that need no bus.
pub(crate) const NOWHERE: &str = "unix:path=/nonexistent/atelier-tests";

/// A running message bus that nobody else knows of; ends with the value.
#[derive(Debug)]
pub struct Bus {
    daemon: Child,
    address: String,
    _folder: TempDir,
}

impl Bus {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// When `dbus-daemon` is missing or does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("bus.conf");
        // No service folders: nothing on this bus can start anything of the machine.
        let text = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#,
            folder.path().display()
        );
        std::fs::write(&config, text).expect("a bus configuration can be written");
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed by `make setup`");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().expect("stdout is piped"))
            .read_line(&mut address)
            .expect("dbus-daemon prints its address");
        let address = address.trim().to_owned();
        assert!(!address.is_empty(), "dbus-daemon did not start");
        Self {
            daemon,
            address,
            _folder: folder,
        }
    }

    /// Where it listens, as `DBUS_SESSION_BUS_ADDRESS` has it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its process, for tests of what happens when it goes.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.daemon.id()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        // It may be gone already; then there is nothing to end.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
