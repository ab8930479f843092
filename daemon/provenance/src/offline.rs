//! The C2PA library as this crate uses it: no network, no thumbnails, no shared settings.
//!
//! Every reader and builder of this crate gets its context here, so that there is one place to
//! check what the library is allowed to do. The library's thread-local settings are never used:
//! in a daemon, one job's settings must not reach another's.

use std::sync::Arc;

use c2pa::Context;
use serde_json::json;

/// A context that trusts the certificates of `anchors` (PEM, any number) and nothing else.
///
/// # Errors
/// Where `anchors` is not empty and holds no PEM certificate.
pub(crate) fn context(anchors: &str) -> c2pa::Result<Arc<Context>> {
    let mut settings = json!({
        // An empty list forbids every host. The library is also built without an HTTP client.
        "core": { "allowed_network_hosts": [] },
        "verify": {
            "remote_manifest_fetch": false,
            "ocsp_fetch": false,
            // `sign` reads its result back itself and asks for more (see there); the library's
            // own check would hash the picture a second time.
            "verify_after_sign": false,
        },
        "builder": {
            // A thumbnail of a reference would publish the reference.
            "thumbnail": { "enabled": false },
            "auto_timestamp_assertion": { "enabled": false },
        },
    });
    if !anchors.trim().is_empty() {
        settings["trust"] = json!({ "user_anchors": anchors });
    }
    Ok(Context::new().with_settings(settings)?.into_shared())
}
