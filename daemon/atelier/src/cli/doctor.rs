//! `atelier doctor`: what works here, what does not, and what to do about it.

mod card;

use std::fs;

use atelier_flux::cuda::Survey;
use atelier_flux::trial;
use atelier_provenance::Identity;
use serde::Serialize;

use super::{Place, client, output};
use crate::config::Config;
use crate::fault::Fault;
use crate::home::Home;
use crate::studio::{Models, Studio};

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Good,
    /// Works, with something missing that a user may want.
    Poor,
    /// Does not work.
    Bad,
}

#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    health: Health,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Finding {
    fn new(what: &'static str, health: Health, says: impl Into<String>) -> Self {
        Self {
            what,
            health,
            says: says.into(),
            advice: None,
        }
    }

    fn from_fault(what: &'static str, health: Health, fault: Fault) -> Self {
        Self {
            what,
            health,
            says: fault.message,
            advice: fault.hint,
        }
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

pub(super) fn run(place: &Place) -> Result<(), Fault> {
    let home = place.home()?;
    let config = Config::load(&home, place.config.as_deref());
    let mut findings = vec![folders(&home)];
    match config.and_then(|config| Ok((Studio::new(&home, &config)?, config))) {
        Ok((studio, config)) => {
            findings.push(settings(&home));
            findings.push(models(&studio));
            findings.push(plugins(&studio));
            let survey = Survey::take();
            findings.push(card::finding(
                &survey,
                &config.device.device,
                trial::outlook(&survey),
            ));
        }
        Err(fault) => findings.push(Finding::from_fault("settings", Health::Bad, fault)),
    }
    findings.push(keys(&home));
    findings.push(memory());
    findings.push(bus());
    if place.json {
        output::json(&findings);
    } else {
        print(&findings);
    }
    match findings
        .iter()
        .filter(|finding| finding.health == Health::Bad)
        .count()
    {
        0 => Ok(()),
        count => Err(Fault::fatal(
            crate::fault::Stage::Start,
            "unhealthy",
            if count == 1 {
                "1 thing does not work".to_owned()
            } else {
                format!("{count} things do not work")
            },
        )),
    }
}

fn folders(home: &Home) -> Finding {
    let root = home.root();
    match fs::metadata(root) {
        Ok(facts) if facts.permissions().readonly() => Finding::new(
            "folders",
            Health::Bad,
            format!("{} is read-only", root.display()),
        ),
        Ok(_) => Finding::new("folders", Health::Good, root.display().to_string()),
        Err(_) => Finding::new(
            "folders",
            Health::Poor,
            format!("{} is not there yet", root.display()),
        )
        .advise("`atelier daemon` makes it"),
    }
}

fn settings(home: &Home) -> Finding {
    let path = home.config();
    if path.exists() {
        return Finding::new("settings", Health::Good, path.display().to_string());
    }
    Finding::new("settings", Health::Good, "all defaults").advise(format!(
        "`atelier daemon` writes {} for you to edit",
        path.display()
    ))
}

/// How to have FLUX.2 itself, and on what terms.
const REAL_WEIGHTS: &str = "\
for FLUX.2 itself, put its weights into models/, or name them in config.toml:
a folder:       models.klein-4b = \"~/models/FLUX.2-klein-4B\"
a single file:  models.klein-4b = \"~/ComfyUI/models/diffusion_models/flux-2-klein-4b.safetensors\"
in fp8:         models.klein-4b = \"~/models/flux-2-klein-4b-fp8.safetensors\", or `atelier model quantize IN OUT`
licences:       klein 4B and klein base 4B are Apache-2.0; klein 9B, klein base 9B, klein 9B KV and dev have
                the FLUX non-commercial licence; the VAE is Apache-2.0";

fn models(studio: &Studio) -> Finding {
    let found = match studio.models().find(None) {
        Ok(found) => found,
        Err(fault) => return Finding::from_fault("model", Health::Bad, fault),
    };
    match atelier_flux::inspect_source(&found.source) {
        Ok(info) if Models::is_starter(found.source.path()) => Finding::new(
            "model",
            Health::Poor,
            format!(
                "{}: the small model that comes with Atelier ({} architecture, {} bytes, MIT); it draws icons at {} pixels",
                found.name, info.variant, info.bytes, info.default_side
            ),
        )
        .advise(REAL_WEIGHTS),
        Ok(info) => Finding::new(
            "model",
            Health::Good,
            format!("{}: {}, {} bytes", found.name, info.variant, info.bytes),
        ),
        Err(error) => Finding::from_fault(
            "model",
            Health::Bad,
            Fault::engine(crate::fault::Stage::Start, &error),
        ),
    }
}

fn plugins(studio: &Studio) -> Finding {
    let (good, bad): (Vec<_>, Vec<_>) = studio
        .plugins()
        .list()
        .into_iter()
        .partition(|(_, p)| p.is_ok());
    let names: Vec<String> = good
        .into_iter()
        .filter_map(|(_, package)| Some(package.ok()?.name))
        .collect();
    if let Some((folder, Err(error))) = bad.into_iter().next() {
        return Finding::new(
            "plugins",
            Health::Poor,
            format!("{}: {error}", folder.display()),
        );
    }
    if names.is_empty() {
        return Finding::new("plugins", Health::Poor, "none are installed")
            .advise("put plugin folders into the home's plugins/");
    }
    Finding::new("plugins", Health::Good, names.join(", "))
}

fn keys(home: &Home) -> Finding {
    if !home.keys().exists() {
        return Finding::new("keys", Health::Poor, "there is no signing identity yet")
            .advise("the first picture makes it, or `atelier keys init`");
    }
    match Identity::open(&home.keys()) {
        Ok(identity) => {
            let summary = identity.summary();
            Finding::new(
                "keys",
                Health::Good,
                format!("{}, valid until {}", summary.subject, summary.not_after),
            )
        }
        Err(error) => Finding::from_fault(
            "keys",
            Health::Bad,
            Fault::provenance(crate::fault::Stage::Start, &error),
        ),
    }
}

fn memory() -> Finding {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    match available {
        Some(kib) => Finding::new(
            "memory",
            Health::Good,
            format!("{} MiB available", kib / 1024),
        ),
        None => Finding::new("memory", Health::Poor, "cannot be read"),
    }
}

fn bus() -> Finding {
    match client::daemon_version() {
        Ok(version) => Finding::new("daemon", Health::Good, format!("runs, version {version}")),
        Err(fault) => Finding::from_fault("daemon", Health::Poor, fault),
    }
}

fn print(findings: &[Finding]) {
    let mut rows = Vec::new();
    for finding in findings {
        let mark = match finding.health {
            Health::Good => "ok",
            Health::Poor => "note",
            Health::Bad => "FAIL",
        };
        rows.push(vec![
            mark.to_owned(),
            finding.what.to_owned(),
            finding.says.clone(),
        ]);
        let advice = finding.advice.iter().flat_map(|advice| advice.lines());
        rows.extend(advice.enumerate().map(|(number, line)| {
            let mark = if number == 0 { "→" } else { " " };
            vec![String::new(), String::new(), format!("{mark} {line}")]
        }));
    }
    output::table(&rows);
}
