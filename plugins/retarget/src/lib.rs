//! First-party plugin `retarget`: puts a pose on another body. The pose is a document of keypoints;
//! the other body is a second one, or factors for its parts.
//!
//! A body is a tree of [limbs]. From the middle of the hips on, each limb keeps the direction that it
//! has in the pose and gets the length that the other body's [proportions] give it: that is the
//! [walk]. Then everybody is [mirrored](mirror), scaled and moved, as the job wants it.
//!
//! It knows two dimensions only: a limb that points at the viewer is short in the picture and counts
//! as short.

mod limbs;
mod mirror;
mod parameters;
mod proportions;
mod walk;

use atelier_keypoints::{Found, Person, Placement, drawn, read};
use atelier_plugin::{
    Description, Failure, Outcome, Plugin, Request, Size, SourceKind, info, log, warn,
};

use limbs::Nodes;
use parameters::Parameters;
use proportions::Proportions;

/// The plugin.
#[derive(Debug)]
pub struct Retarget;

impl Plugin for Retarget {
    fn describe() -> Description {
        Description::new(
            "retarget",
            env!("CARGO_PKG_VERSION"),
            "Puts a pose on another body's proportions, mirrors, moves and scales it.",
        )
        .takes([SourceKind::Document])
        .parameters(include_str!("../parameters.schema.json"))
    }

    fn prepare(request: Request) -> Result<Outcome, Failure> {
        let parameters: Parameters = request.parameters()?;
        let stated_canvas = parameters.canvas()?;
        let size = parameters.size(request.output);
        let (pose, body) = documents(&request)?;

        let mut found = read::document(pose, parameters.frame.get())?;
        found.canvas = stated_canvas.or(found.canvas);
        let format = found.format.name();
        let people = placed(found, &parameters, size)?;
        let bodies = match body {
            Some(text) => bodies(text, &parameters, size).map_err(of_body)?,
            None => Vec::new(),
        };
        info!("{} people, {} bodies", people.len(), bodies.len());
        log::progress(0.3);

        let each = bodies.len() == people.len();
        let mut changed = Vec::with_capacity(people.len());
        for (index, person) in people.iter().enumerate() {
            let body = bodies.get(if each { index } else { 0 });
            changed.push(retargeted(person, body, &parameters, size)?);
        }
        if !changed.iter().any(|person| is_seen(person, size)) {
            warn!("nobody is left in the picture: smaller \"scale\", \"dx\" and \"dy\" help");
        }

        let count = changed.len();
        let mut outcome = drawn::outcome(&changed, size, parameters.stick_width)?
            .note("people", count.to_string())
            .note("format", format);
        if body.is_some() {
            outcome = outcome.note("bodies", if each { count } else { 1 }.to_string());
        }
        Ok(if parameters.prompt {
            outcome.prompt(drawn::words(count))
        } else {
            outcome
        })
    }
}

atelier_plugin::export!(Retarget);

/// The document with the pose, and the one with the body where there is one.
fn documents(request: &Request) -> Result<(&str, Option<&str>), Failure> {
    let documents: Vec<&str> = request.documents().collect();
    match documents[..] {
        [pose] => Ok((pose, None)),
        [pose, body] => Ok((pose, Some(body))),
        [] => Err(Failure::source(
            "retarget reads keypoints from a JSON document (OpenPose or COCO), and the reference has \
             none: let pose-from-photo find them before it",
        )),
        _ => Err(Failure::source(format!(
            "retarget takes a document with the pose and one with the body, and the reference has {}",
            documents.len()
        ))),
    }
}

/// The people of a document that are sure enough, in pixels of the picture.
fn placed(mut found: Found, parameters: &Parameters, size: Size) -> Result<Vec<Person>, Failure> {
    found.keep_sure(parameters.threshold.get())?;
    Ok(Placement::of(&found, size).place(found.people))
}

/// The bodies of the second document, in pixels of a picture of the same aspect.
fn bodies(text: &str, parameters: &Parameters, size: Size) -> Result<Vec<Nodes>, Failure> {
    let people = placed(read::document(text, 1)?, parameters, size)?;
    Ok(people.iter().map(Nodes::of).collect())
}

/// Says which of the two documents is meant.
fn of_body(failure: Failure) -> Failure {
    match failure {
        Failure::Source(message) => {
            Failure::Source(format!("the body to take the proportions of: {message}"))
        }
        other => other,
    }
}

fn retargeted(
    person: &Person,
    body: Option<&Nodes>,
    parameters: &Parameters,
    size: Size,
) -> Result<Person, Failure> {
    let own = Nodes::of(person);
    let proportions = Proportions::of(&own, body, |part| parameters.factor(part))?;
    let mut person = walk::walked(person, &proportions);
    let Some(middle) = walk::middle(person.points()) else {
        return Ok(person);
    };
    if parameters.mirror {
        mirror::mirror(&mut person, middle[0]);
    }
    let (scale, moves) = (parameters.scale(), parameters.moves(size));
    person.place(|point| {
        [0, 1]
            .map(|axis| rounded((point[axis] - middle[axis]) * scale + middle[axis] + moves[axis]))
    });
    Ok(person)
}

/// To a thousandth, as keypoints are written: so what is drawn is what a next plugin draws of them, and
/// what floating point loses on the way does not cut a point to the pixel before.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn is_seen(person: &Person, size: Size) -> bool {
    let within = |at: f64, side: u32| (0.0..f64::from(side)).contains(&at);
    let mut points = person.points();
    points.any(|point| within(point.x, size.width) && within(point.y, size.height))
}

#[cfg(test)]
mod tests;
