//! The daemon on a private session bus, driven by two clients that share no code with it: `gdbus`
//! and `busctl`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Stdio};

use atelier_tests::{Daemon, Home, Interface, Run, wait_for, wait_until};
use serde_json::Value;

const NAME: &str = "org.atelier.Atelier1";
const PATH: &str = "/org/atelier/Atelier1";
const MANAGER: &str = "org.atelier.Atelier1.Manager";
const JOB: &str = "org.atelier.Atelier1.Job";

/// The smallest job there is.
const QUICK: &str =
    "manifest = 1\nprompt = \"a lighthouse\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = 7\n";

/// A job that is still at work when a test gets to it.
const SLOW: &str =
    "manifest = 1\nprompt = \"a cathedral\"\nwidth = 512\nheight = 512\nsteps = 200\nseed = 7\n";

/// `busctl call`, and the reply's values; null where it has none.
fn call(
    daemon: &Daemon<'_>,
    object: &str,
    interface: &str,
    method: &str,
    arguments: &[&str],
) -> Value {
    let mut all = vec![
        "--user",
        "--json=short",
        "call",
        NAME,
        object,
        interface,
        method,
    ];
    all.extend(arguments);
    let run = daemon.client("busctl", &all).exits(0);
    if run.stdout.is_empty() {
        return Value::Null;
    }
    run.json()["data"].clone()
}

/// `busctl get-property`, and the value.
fn property(daemon: &Daemon<'_>, object: &str, interface: &str, property: &str) -> Value {
    daemon
        .client(
            "busctl",
            &[
                "--user",
                "--json=short",
                "get-property",
                NAME,
                object,
                interface,
                property,
            ],
        )
        .exits(0)
        .json()["data"]
        .clone()
}

/// `gdbus call`.
fn gdbus(daemon: &Daemon<'_>, object: &str, method: &str, arguments: &[&str]) -> Run {
    let mut all = vec![
        "call",
        "--session",
        "--dest",
        NAME,
        "--object-path",
        object,
        "--method",
        method,
    ];
    all.extend(arguments);
    daemon.client("gdbus", &all)
}

/// Submits a manifest with `busctl`; the job's object path.
fn submit(daemon: &Daemon<'_>, manifest: &Path) -> String {
    let arguments = ["sa{sv}", manifest.to_str().unwrap(), "0"];
    let reply = call(daemon, PATH, MANAGER, "SubmitPath", &arguments);
    reply[0]
        .as_str()
        .unwrap_or_else(|| panic!("no object in {reply}"))
        .to_owned()
}

/// `gdbus monitor`, writing what it hears to a file; ended with the value.
struct Monitor {
    child: Child,
    heard: std::path::PathBuf,
}

impl Monitor {
    fn start(home: &Home, daemon: &Daemon<'_>) -> Self {
        let heard = home.elsewhere().join("heard.txt");
        let mut command = daemon.client_command("gdbus", &["monitor", "--session", "--dest", NAME]);
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&heard).unwrap())
            .spawn()
            .unwrap();
        let monitor = Self { child, heard };
        wait_until("the monitor to listen", || {
            monitor.heard().contains("is owned by")
        });
        monitor
    }

    fn heard(&self) -> String {
        fs::read_to_string(&self.heard).unwrap()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_job_goes_from_submit_to_its_outputs_on_the_bus() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let monitor = Monitor::start(&home, &daemon);
    let job = submit(&daemon, &home.write_manifest("bus", QUICK));
    assert!(job.starts_with(&format!("{PATH}/jobs/")), "{job}");
    // The object is there from the reply on.
    let state = property(&daemon, &job, JOB, "State");
    assert!(state.is_string(), "{state}");
    wait_until("the job done", || {
        property(&daemon, &job, JOB, "State") == "done"
    });

    assert_eq!(property(&daemon, &job, JOB, "Progress"), 1.0);
    assert_eq!(property(&daemon, &job, JOB, "Attempt"), 1);
    assert_eq!(property(&daemon, &job, JOB, "ErrorCode"), "");
    let picture = home.outbox().join("bus.png");
    assert_eq!(
        property(&daemon, &job, JOB, "Outputs"),
        serde_json::json!([picture])
    );
    assert!(picture.exists());

    wait_until("the signals", || {
        let heard = monitor.heard();
        [
            format!("{PATH}: {MANAGER}.JobAdded (objectpath '{job}',)"),
            format!("{job}: {JOB}.Finished ('done',)"),
            "org.freedesktop.DBus.ObjectManager.InterfacesAdded".to_owned(),
            format!("{job}: org.freedesktop.DBus.Properties.PropertiesChanged ('{JOB}'"),
        ]
        .iter()
        .all(|signal| heard.contains(signal))
    });
}

#[test]
fn a_running_job_shows_its_steps_and_is_cancelled_by_gdbus() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let job = submit(&daemon, &home.write_manifest("long", SLOW));
    wait_until("a step", || {
        property(&daemon, &job, JOB, "Step").as_u64() >= Some(1)
    });
    assert_eq!(property(&daemon, &job, JOB, "State"), "running");
    assert_eq!(property(&daemon, &job, JOB, "Steps"), 200);
    assert_eq!(property(&daemon, PATH, MANAGER, "Running"), 1);
    let progress = property(&daemon, &job, JOB, "Progress").as_f64().unwrap();
    assert!(progress > 0.0 && progress < 1.0, "{progress}");
    let _ = gdbus(&daemon, &job, &format!("{JOB}.Cancel"), &[]).exits(0);
    wait_until("the end", || {
        property(&daemon, &job, JOB, "State") == "cancelled"
    });
    assert_eq!(property(&daemon, PATH, MANAGER, "Running"), 0);
    // Twice is once too many, and says so with a name.
    let again = gdbus(&daemon, &job, &format!("{JOB}.Cancel"), &[]).exits(1);
    assert!(
        again.stderr.contains("org.atelier.Atelier1.Error."),
        "{again}"
    );
}

#[test]
fn two_clients_that_cancel_at_once_both_get_an_answer() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let job = submit(&daemon, &home.write_manifest("contested", SLOW));
    wait_until("the job running", || {
        property(&daemon, &job, JOB, "State") == "running"
    });
    let cancel = || gdbus(&daemon, &job, &format!("{JOB}.Cancel"), &[]);
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(cancel);
        let other = scope.spawn(cancel);
        (one.join().unwrap(), other.join().unwrap())
    });
    for run in [&one, &other] {
        assert!(
            run.status == 0 || run.stderr.contains("org.atelier.Atelier1.Error."),
            "{run}"
        );
    }
    assert!(one.status == 0 || other.status == 0, "{one}{other}");
    wait_until("the end", || {
        property(&daemon, &job, JOB, "State") == "cancelled"
    });
}

#[test]
fn the_managers_properties_tell_how_the_daemon_is() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let version = property(&daemon, PATH, MANAGER, "Version");
    assert!(
        version.as_str().is_some_and(|v| v.split('.').count() == 3),
        "{version}"
    );
    assert_eq!(property(&daemon, PATH, MANAGER, "State"), "idle");
    assert_eq!(
        property(&daemon, PATH, MANAGER, "Devices"),
        serde_json::json!(["cpu"])
    );
    assert_eq!(property(&daemon, PATH, MANAGER, "Tainted"), false);
    let folders = property(&daemon, PATH, MANAGER, "Folders").to_string();
    assert!(
        folders.contains(home.inbox().to_str().unwrap()),
        "{folders}"
    );

    call(&daemon, PATH, MANAGER, "Pause", &[]);
    assert_eq!(property(&daemon, PATH, MANAGER, "Paused"), true);
    assert_eq!(property(&daemon, PATH, MANAGER, "State"), "paused");
    let job = submit(&daemon, &home.write_manifest("held", QUICK));
    assert_eq!(property(&daemon, PATH, MANAGER, "Queued"), 1);
    assert_eq!(property(&daemon, &job, JOB, "State"), "queued");
    call(&daemon, PATH, MANAGER, "Resume", &[]);
    assert_eq!(property(&daemon, PATH, MANAGER, "Paused"), false);
    wait_until("the job done", || {
        property(&daemon, &job, JOB, "State") == "done"
    });
    call(&daemon, PATH, MANAGER, "ScanNow", &[]);
}

#[test]
fn the_object_manager_lists_every_live_job() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    call(&daemon, PATH, MANAGER, "Pause", &[]);
    let jobs = ["a", "b"].map(|name| submit(&daemon, &home.write_manifest(name, QUICK)));
    let managed = call(
        &daemon,
        PATH,
        "org.freedesktop.DBus.ObjectManager",
        "GetManagedObjects",
        &[],
    );
    for job in &jobs {
        assert_eq!(
            managed[0][job][JOB]["State"]["data"], "queued",
            "{managed:#}"
        );
    }
    let tree = daemon
        .client("busctl", &["--user", "tree", "--list", NAME])
        .exits(0);
    assert!(
        jobs.iter().all(|job| tree.stdout.contains(job.as_str())),
        "{tree}"
    );
}

#[test]
fn jobs_that_come_through_the_inbox_are_on_the_bus_too() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    home.drop_manifest("dropped", QUICK);
    let result = home.wait_for_result("dropped");
    let job = format!("{PATH}/jobs/{}", result["job"].as_str().unwrap());
    wait_until("the job done", || {
        property(&daemon, &job, JOB, "State") == "done"
    });
}

#[test]
fn wrong_calls_are_errors_with_names() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let submit_path = format!("{MANAGER}.SubmitPath");
    let expect = |run: Run, error: &str| {
        let run = run.exits(1);
        assert!(
            run.stderr.contains(error),
            "{error} is not what came: {run}"
        );
    };
    let bad = home.write_manifest("bad", "manifest = 1\nprompt = \"x\"\nwidht = 64\n");
    let refused = gdbus(&daemon, PATH, &submit_path, &[bad.to_str().unwrap(), "{}"]);
    assert!(
        refused.stderr.contains("unknown-key") && refused.stderr.contains("widht"),
        "{refused}"
    );
    expect(refused, "org.atelier.Atelier1.Error.InvalidManifest");
    expect(
        gdbus(
            &daemon,
            PATH,
            &submit_path,
            &["/nonexistent/manifest.toml", "{}"],
        ),
        "org.atelier.Atelier1.Error.NotFound",
    );
    // Well formed, and never given out.
    let nobody = "00000000000000000000000001";
    expect(
        gdbus(&daemon, PATH, &format!("{MANAGER}.GetJob"), &[nobody]),
        "org.atelier.Atelier1.Error.UnknownJob",
    );
    expect(
        gdbus(
            &daemon,
            &format!("{PATH}/jobs/{nobody}"),
            &format!("{JOB}.Cancel"),
            &[],
        ),
        "Unknown",
    );
    expect(
        gdbus(&daemon, PATH, &format!("{MANAGER}.NoSuchMethod"), &[]),
        "UnknownMethod",
    );
    let wrong = daemon.client(
        "busctl",
        &[
            "--user",
            "call",
            NAME,
            PATH,
            MANAGER,
            "SubmitPath",
            "u",
            "7",
        ],
    );
    assert_ne!(wrong.status, 0, "{wrong}");
    // None of it did harm.
    assert_eq!(property(&daemon, PATH, MANAGER, "State"), "idle");
}

#[test]
fn a_picture_at_work_can_be_looked_at_and_one_that_is_done_cannot() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let slow = submit(&daemon, &home.write_manifest("slow", SLOW));
    let open = |job: &str| {
        let arguments = [
            "--user",
            "--json=short",
            "call",
            NAME,
            job,
            JOB,
            "OpenPreview",
        ];
        daemon.client("busctl", &arguments)
    };
    let opened = wait_for("a preview", || {
        let run = open(&slow);
        (run.status == 0).then(|| run.json())
    });
    assert_eq!(opened["type"], "h", "{opened}");
    call(&daemon, &slow, JOB, "Cancel", &[]);
    wait_until("the job cancelled", || {
        property(&daemon, &slow, JOB, "State") == "cancelled"
    });
    let gone = open(&slow);
    assert_ne!(gone.status, 0, "{gone}");
    assert!(gone.stderr.contains("no-preview"), "{gone}");
}

#[test]
fn a_second_daemon_on_the_bus_is_refused() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let other = Home::new();
    let run = atelier_tests::run({
        let mut command = atelier_tests::command(other.path(), daemon.bus().address());
        command.arg("daemon");
        command
    })
    .exits(1);
    assert!(run.stderr.contains("bus-name-taken"), "{run}");
    assert_eq!(property(&daemon, PATH, MANAGER, "State"), "idle");
}

#[test]
fn losing_the_bus_loses_no_job() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let pid = daemon.bus().pid().to_string();
    home.drop_manifest("first", QUICK);
    let _ = home.wait_for_result("first");
    let _ = daemon.client("kill", &["-9", &pid]).exits(0);
    home.drop_manifest("second", QUICK);
    let _ = home.wait_for_result("second");
    assert_eq!(Home::names(&home.outbox()), ["first.png", "second.png"]);
}

#[test]
fn the_interface_is_the_one_in_config() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let job = submit(&daemon, &home.write_manifest("shown", QUICK));
    for (interface, object) in [(MANAGER, PATH), (JOB, job.as_str())] {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../config/dbus/{interface}.xml"));
        let written = Interface::find(&fs::read_to_string(file).unwrap(), interface);
        let shown = wait_for("the object", || {
            let arguments = [
                "introspect",
                "--session",
                "--xml",
                "--dest",
                NAME,
                "--object-path",
                object,
            ];
            let xml = daemon.client("gdbus", &arguments).exits(0).stdout;
            xml.contains(interface)
                .then(|| Interface::find(&xml, interface))
        });
        let missing: Vec<_> = shown.members.difference(&written.members).collect();
        let invented: Vec<_> = written.members.difference(&shown.members).collect();
        assert!(
            missing.is_empty() && invented.is_empty(),
            "{interface}.xml\nlacks: {missing:#?}\nhas, and the daemon has not: {invented:#?}"
        );
    }
}
