//! What must be true of a home after any number of crashes.

use std::collections::BTreeSet;

use crate::daemon::Daemon;
use crate::home::Home;
use crate::picture::sha256;
use crate::wait::wait_until;

/// Waits until every job of `names` has its result; then each is done exactly once, its pictures
/// whole and delivered once, and nothing is left over anywhere.
///
/// # Panics
///
/// When any of that is not so.
pub fn assert_each_done_once(home: &Home, daemon: &Daemon<'_>, names: &[String]) {
    let mut delivered = Vec::new();
    for name in names {
        let result = home.wait_for_result(name);
        let manifest = home.done().join(format!("{name}.toml"));
        wait_until("the manifest beside its result", || manifest.is_file());
        for output in result["outputs"].as_array().expect("outputs are a list") {
            let file = output["name"].as_str().expect("an output has a name");
            let digest = sha256(&home.outbox().join(file));
            assert_eq!(
                output["sha256"].as_str(),
                Some(digest.as_str()),
                "{file} is not whole"
            );
            delivered.push(file.to_owned());
        }
    }
    // Tidying up comes last, after everything that anybody waits for.
    let working = home.path().join("working");
    wait_until("nothing at work", || Home::names(&working).is_empty());
    delivered.sort();
    assert_eq!(
        Home::names(&home.outbox()),
        delivered,
        "each picture once, and nothing else"
    );
    assert_eq!(Home::names(&home.failed()), [""; 0]);
    assert_eq!(
        Home::names(&home.inbox()),
        [""; 0],
        "every manifest was taken"
    );

    let jobs = daemon.atelier(&["jobs", "--json"]).exits(0).json();
    let jobs = jobs.as_array().expect("jobs are a list");
    let listed: BTreeSet<Option<&str>> = jobs.iter().map(|job| job["name"].as_str()).collect();
    let expected = names.iter().map(|name| Some(name.as_str())).collect();
    assert!(
        jobs.len() == names.len() && listed == expected,
        "each job once: {jobs:#?}"
    );
    assert!(
        jobs.iter().all(|job| job["state"] == "done"),
        "{jobs:#?}\n{}",
        daemon.log()
    );
}
