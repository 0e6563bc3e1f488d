//! What pages ask beside pages: to be told of a new build, and to start and stop runs.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use futures::stream::{Stream, unfold};
use logging::Moment;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use testbed::kind::{self, BrokerChoice};
use testbed::machine::Machine;
use testbed::needs::Needs;
use tokio::sync::watch as latest;

use crate::manifest::Chapter;
use crate::project::Project;
use crate::recording::{folder, moments};
use crate::serve::gate::{Gate, Refusal};
use crate::serve::pages::{self, Status};
use crate::serve::runs::{Listening, Runs, Wanted};

/// The longest request, in bytes: two names and a kind of broker.
const LONGEST: usize = 4096;

/// What all answers are made from.
#[derive(Clone)]
pub struct Desk {
    /// Who may ask.
    pub gate: Arc<Gate>,
    /// The last build.
    pub status: latest::Receiver<Status>,
    /// The runs that are going.
    pub runs: Arc<Runs>,
}

/// Everything that this server answers.
pub fn router(desk: Desk) -> Router {
    let commands = Router::new()
        .route("/live/run", post(run))
        .route("/live/stop", post(stop))
        .route("/live/chapter", post(chapter))
        .route("/live/brokers", post(brokers))
        .layer(DefaultBodyLimit::max(LONGEST))
        .route_layer(from_fn_with_state(desk.clone(), commands_only));
    let live = Router::new()
        .route("/live/events", get(events))
        .route("/live/reload.js", get(reload))
        .merge(commands)
        .route_layer(from_fn_with_state(desk.clone(), same_site_only));
    Router::new()
        .merge(live)
        .fallback(page)
        .layer(from_fn_with_state(desk.clone(), this_host_only))
        .with_state(desk)
}

async fn this_host_only(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    const ALWAYS: [(HeaderName, HeaderValue); 3] = [
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // Nobody shows the book inside a page of theirs, with a Run button under somebody's mouse.
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'self'")),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    let mut response = match desk.gate.host(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    response.headers_mut().extend(ALWAYS);
    response
}

async fn same_site_only(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    match desk.gate.same_site(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

async fn commands_only(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    match desk.gate.command(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

async fn page(State(desk): State<Desk>, request: Request) -> Response {
    let status = desk.status.borrow().clone();
    pages::answer(&status, desk.gate.token(), request).await
}

/// The script of served pages: reloads them, and shows what is to be mended.
async fn reload() -> Response {
    let script = include_str!("reload.js");
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], script).into_response()
}

/// The state of the book now, and each that follows.
async fn events(
    State(desk): State<Desk>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let mut status = desk.status;
    status.mark_changed();
    let events = unfold(status, |mut status| async move {
        status.changed().await.ok()?;
        // Strings always serialize.
        let json = serde_json::to_string(&*status.borrow_and_update()).unwrap_or_default();
        Some((Ok(Event::default().data(json)), status))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Which run, on which kind of broker.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    chapter: String,
    run: String,
    #[serde(default)]
    broker: Broker,
}

/// The kinds of broker that a page may name: an address cannot be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Broker {
    #[default]
    Auto,
    Embedded,
    Local,
    Docker,
    /// The cluster that `KAFKA_BROKERS` names where the server was started.
    External,
}

impl Broker {
    const ALL: [Broker; 5] =
        [Broker::Auto, Broker::Embedded, Broker::Local, Broker::Docker, Broker::External];

    fn word(self) -> &'static str {
        match self {
            Broker::Auto => "auto",
            Broker::Embedded => "embedded",
            Broker::Local => "local",
            Broker::Docker => "docker",
            Broker::External => "external",
        }
    }

    fn choice(self) -> BrokerChoice {
        match self {
            Broker::Auto => BrokerChoice::Auto,
            Broker::Embedded => BrokerChoice::Embedded,
            Broker::Local => BrokerChoice::Local,
            Broker::Docker => BrokerChoice::Docker,
            Broker::External => BrokerChoice::External(None),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    chapter: String,
}

/// Starts a run; the answer is its messages, one a line, as they come. It ends with the connection.
async fn run(State(desk): State<Desk>, body: Bytes) -> Result<Response, Refusal> {
    let asked: Asked = read(&body)?;
    let (project, _) = Project::load(desk.runs.root());
    let found = declared(&project, &asked)?;
    // The names go on as the manifest has them.
    // A page remembers which broker was chosen; a run that starts its own takes none.
    let broker = if found.run.owns_cluster { Broker::Auto } else { asked.broker };
    let wanted = Wanted {
        chapter: found.chapter.slug.clone(),
        run: found.run.name.clone(),
        broker: broker.word(),
    };
    let messages = unfold(desk.runs.start(wanted)?, |mut listening: Listening| async move {
        let message = listening.next().await?;
        Some((Ok::<_, Infallible>(message.json()), listening))
    });
    let kind = [(CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(messages)).into_response())
}

/// Ends a chapter's run in order; the answer to the page that started it goes on to its end.
async fn stop(State(desk): State<Desk>, body: Bytes) -> Result<StatusCode, Refusal> {
    let named: Named = read(&body)?;
    if desk.runs.stop(&named.chapter) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Refusal::new(StatusCode::NOT_FOUND, format!("No run of {} is going.", named.chapter)))
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    title: &'a str,
    about: &'a str,
    topics: &'a [String],
    moments: Vec<Moment>,
    /// The cluster is the program's own: there is no other to choose.
    owns_cluster: bool,
}

/// Something that a reader can break: the run that does it, and what is seen then.
#[derive(Serialize)]
struct Breaks<'a> {
    name: &'a str,
    run: &'a str,
    symptom: &'a str,
}

#[derive(Serialize)]
struct Choices<'a> {
    runs: Vec<Shown<'a>>,
    faults: Vec<Breaks<'a>>,
}

/// What can be run of a chapter.
async fn chapter(State(desk): State<Desk>, body: Bytes) -> Result<Response, Refusal> {
    let named: Named = read(&body)?;
    let (project, _) = Project::load(desk.runs.root());
    let chapter = known(&project, &named.chapter)?;
    let runs = chapter.runs.iter().map(|run| Shown {
        name: &run.name,
        title: run.title(),
        about: &run.about,
        topics: &run.topics,
        // A run is no worse to watch for moments that cannot be read; the build says what is wrong with them.
        moments: moments(&project.root, &folder(&chapter.slug, &run.name))
            .map(|moments| moments.moments)
            .unwrap_or_default(),
        owns_cluster: run.owns_cluster,
    });
    let faults = chapter.faults.iter().map(|fault| Breaks {
        name: &fault.name,
        run: &fault.run,
        symptom: &fault.symptom,
    });
    let choices = Choices { runs: runs.collect(), faults: faults.collect() };
    Ok(Json(choices).into_response())
}

#[derive(Serialize)]
struct Kind {
    word: Broker,
    /// What a reader calls it; for `auto`, the kind that it takes.
    label: String,
    /// Why it does not serve here; none if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    lacks: Option<String>,
}

/// The kinds of broker for a run, and what this machine lacks for each.
async fn brokers(State(desk): State<Desk>, body: Bytes) -> Result<Json<Vec<Kind>>, Refusal> {
    let asked: Asked = read(&body)?;
    let (project, _) = Project::load(desk.runs.root());
    let run = declared(&project, &asked)?.run;
    let needs: Needs = run.needs.join(",").parse().map_err(|error| {
        let text = format!("The manifest's `needs` of this run cannot be read: {error}");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    })?;
    let kinds = move || {
        let machine = Machine::probe();
        let external = std::env::var("KAFKA_BROKERS").unwrap_or_default();
        let named = |broker: &Broker| *broker != Broker::External || !external.is_empty();
        let kind = |broker: Broker| match kind::choose(&broker.choice(), &needs, || machine.clone())
        {
            Ok(kind) => Kind { word: broker, label: kind.label().to_owned(), lacks: None },
            Err(error) => {
                let label = broker.word().to_owned();
                Kind { word: broker, label, lacks: Some(error.to_string()) }
            }
        };
        Broker::ALL.into_iter().filter(named).map(kind).collect()
    };
    let failed = |_| {
        let text = "This machine could not be looked at. Ask `cargo xtask doctor`.";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    };
    // It runs `java -version` and asks the Docker engine.
    tokio::task::spawn_blocking(kinds).await.map(Json).map_err(failed)
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, format!("This is no such request: {error}"))
    })
}

struct Declared<'a> {
    chapter: &'a Chapter,
    run: &'a crate::manifest::Run,
}

fn known<'a>(project: &'a Project, slug: &str) -> Result<&'a Chapter, Refusal> {
    project.chapter(slug).map_err(not_found)
}

/// The run as its chapter's manifest declares it.
fn declared<'a>(project: &'a Project, asked: &Asked) -> Result<Declared<'a>, Refusal> {
    let chapter = known(project, &asked.chapter)?;
    let run = project.run(&asked.chapter, &asked.run).map_err(not_found)?;
    Ok(Declared { chapter, run })
}

fn not_found(problem: crate::finding::Problem) -> Refusal {
    let text = format!("{}: {}", problem.what, problem.mend);
    Refusal::new(StatusCode::NOT_FOUND, text)
}
