//! Version 1 of the interface (`sdk/wit/plugin.wit`): turns its types into the host's and back. A
//! later version gets a module beside this one, and this one stays, so that a plugin once built
//! goes on working.

mod imports;

use std::sync::Arc;
use std::time::{Duration, Instant};

use atelier_plugin_package::Interface as OnRequest;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store};

use crate::call::Call;
use crate::error::{PluginError, Refusal};
use crate::limits::Limits;
use crate::load::Contract;
use crate::outcome::{Prepared, RawDescription, SourceKind};
use crate::powers::Reach;
use crate::request::{PrepareRequest, Source};
use crate::speech::{Voice, plain};

use bindings::exports::atelier::plugin::preparer;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated from sdk/wit"
)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "asking-plugin",
        imports: { default: trappable },
        with: {
            "atelier:plugin/pictures.picture": crate::pictures::Picture,
            "atelier:plugin/pictures.canvas": crate::pictures::Canvas,
        },
    });
}

/// What a component of this version may import and must export.
pub(crate) const CONTRACT: Contract = Contract {
    offers: &[
        "atelier:plugin/pictures@1.0.0",
        "atelier:plugin/log@1.0.0",
        "atelier:plugin/draw@1.0.0",
    ],
    on_request: &[
        (OnRequest::Infer, "atelier:plugin/infer@1.0.0"),
        (OnRequest::Random, "atelier:plugin/random@1.0.0"),
        (OnRequest::Settings, "atelier:plugin/settings@1.0.0"),
    ],
    wants: "atelier:plugin/preparer@1.0.0",
};

/// A component whose imports are resolved and whose exports are found.
pub(crate) struct Interface {
    ready: bindings::AskingPluginPre<Call>,
}

impl Interface {
    /// Resolves the imports of a component that [`load::check`](crate::load::check) let through.
    pub(crate) fn link(
        engine: &Engine,
        plugin: &str,
        component: &Component,
    ) -> Result<Self, PluginError> {
        let mut linker = Linker::new(engine);
        bindings::AskingPlugin::add_to_linker::<_, HasSelf<Call>>(&mut linker, |call| call)
            .and_then(|()| imports::link_transfers(&mut linker))
            .map_err(|error| PluginError::Host {
                plugin: plugin.to_owned(),
                problem: format!("{error:#}"),
            })?;
        let linked = linker.instantiate_pre(component).map_err(|error| {
            let problem = format!("{error:#}");
            let known = CONTRACT.offers.iter().copied();
            let mut known = known.chain(CONTRACT.on_request.iter().map(|(_, full)| *full));
            let import = known.find(|offer| problem.contains(offer));
            PluginError::ImportRefused {
                plugin: plugin.to_owned(),
                import: import.unwrap_or("?").to_owned(),
                reason: format!("is not the one that this host offers: {problem}"),
            }
        })?;
        let ready =
            bindings::AskingPluginPre::new(linked).map_err(|error| PluginError::Component {
                plugin: plugin.to_owned(),
                problem: format!("does not export what its world promises: {error:#}"),
            })?;
        Ok(Self { ready })
    }

    /// A store for one call.
    pub(crate) fn store(&self, limits: &Limits, voice: Voice, reach: Reach) -> Store<Call> {
        Store::new(self.ready.engine(), Call::new(limits, voice, reach))
    }

    pub(crate) fn describe(&self, store: &mut Store<Call>) -> wasmtime::Result<RawDescription> {
        let plugin = self.ready.instantiate(&mut *store)?;
        let said = plugin
            .atelier_plugin_preparer()
            .call_describe(&mut *store)?;
        let takes = said.takes.into_iter().map(|kind| match kind {
            preparer::SourceKind::Picture => SourceKind::Picture,
            preparer::SourceKind::Document => SourceKind::Document,
        });
        Ok(RawDescription {
            name: said.name,
            version: said.version,
            summary: said.summary,
            parameters: said.parameters,
            takes: takes.collect(),
        })
    }

    /// The result is the plugin's; only wasmtime's failures are errors.
    pub(crate) fn prepare(
        &self,
        store: &mut Store<Call>,
        request: &PrepareRequest,
    ) -> wasmtime::Result<Result<Prepared, Refusal>> {
        let start = Instant::now();
        let plugin = self.ready.instantiate(&mut *store)?;
        let instantiation = start.elapsed();
        let request = lower(store.data_mut(), request)?;
        let answer = plugin
            .atelier_plugin_preparer()
            .call_prepare(&mut *store, &request)?;
        match answer {
            Ok(outcome) => lift(store.data_mut(), outcome, instantiation).map(Ok),
            Err(failure) => Ok(Err(refusal(&failure))),
        }
    }
}

fn lower(call: &mut Call, request: &PrepareRequest) -> wasmtime::Result<preparer::Request> {
    let mut sources = Vec::with_capacity(request.sources.len());
    for source in &request.sources {
        sources.push(match source {
            Source::Picture { pixels, format } => {
                let picture = call.studio.admit(Arc::clone(pixels), format.clone())?;
                preparer::Source::Picture(picture)
            }
            Source::Document(text) => preparer::Source::Document(text.clone()),
        });
    }
    let (width, height) = request.output;
    Ok(preparer::Request {
        sources,
        parameters: serde_json::to_string(&request.parameters)?,
        output: preparer::Size { width, height },
    })
}

fn lift(
    call: &mut Call,
    outcome: preparer::Outcome,
    instantiation: Duration,
) -> wasmtime::Result<Prepared> {
    let mut pictures = Vec::with_capacity(outcome.pictures.len());
    for canvas in outcome.pictures {
        pictures.push(call.studio.take(canvas)?);
    }
    Ok(Prepared {
        pictures,
        prompt: outcome.prompt,
        keypoints: outcome.keypoints,
        notes: outcome
            .notes
            .into_iter()
            .map(|note| (note.key, note.value))
            .collect(),
        dropped_log_lines: 0,
        memory: call.meter.used(),
        instantiation,
    })
}

fn refusal(failure: &preparer::Failure) -> Refusal {
    match failure {
        preparer::Failure::Parameter((name, message)) => Refusal::Parameter {
            name: plain(name),
            message: plain(message),
        },
        preparer::Failure::Source(message) => Refusal::Source(plain(message)),
        preparer::Failure::Other(message) => Refusal::Other(plain(message)),
    }
}
