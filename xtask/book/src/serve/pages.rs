//! The built pages, as a browser gets them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use axum::body::{Body, to_bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use tower_http::services::ServeDir;

use crate::markdown::escape_html;

/// The longest page, in bytes; three recordings of 10 000 lines have room in it.
const LONGEST: usize = 64 * 1024 * 1024;

/// What pages are told, and what they are served from.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Status {
    /// Which build pages come from; each build of each server has another name.
    pub build: String,
    /// Why the files as they are now cannot be shown: the pages are of the last build that could.
    pub broken: Vec<String>,
    /// Laws that the shown pages break.
    pub laws: Vec<String>,
    /// The folder of the last good build; none if there was none yet.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
}

/// The answer to a request for a page or for what belongs to one.
pub async fn answer(status: &Status, token: &str, mut request: Request<Body>) -> Response {
    let Some(folder) = &status.folder else {
        return nothing_built(status, token).into_response();
    };
    let path = request.uri().path();
    if path.ends_with('/') || path.ends_with(".html") {
        // A page is not the file: it has this start's token in it.
        for name in
            [IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE]
        {
            request.headers_mut().remove(name);
        }
    }
    // No redirect to a folder: `//name` would become one to another host.
    let found = ServeDir::new(folder).redirect_to_trailing_slash(false).try_call(request).await;
    let mut response = match found {
        Ok(response) if response.status() == StatusCode::NOT_FOUND => missing(folder).await,
        Ok(response) => response.map(Body::new),
        Err(error) if error.kind() == ErrorKind::NotFound => missing(folder).await,
        Err(error) => {
            let text =
                format!("The built page cannot be read: {error}. Save a page to build anew.\n");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    };
    // Asked for again each time, and not sent again where it is the same.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let kind = response.headers().get(CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        with_head(response, &head(status, token)).await
    } else {
        response
    }
}

/// The book's own page of "not found".
async fn missing(folder: &Path) -> Response {
    match tokio::fs::read_to_string(folder.join("404.html")).await {
        Ok(page) => (StatusCode::NOT_FOUND, Html(page)).into_response(),
        Err(_) => (StatusCode::NOT_FOUND, "The book has no such page.\n").into_response(),
    }
}

/// What a served page has in its head beside what the built one has.
fn head(status: &Status, token: &str) -> String {
    format!(
        "<meta name=\"kafka-book-token\" content=\"{token}\">\n\
         <meta name=\"kafka-book-build\" content=\"{}\">\n\
         <script src=\"/live/reload.js\" defer></script>\n",
        status.build
    )
}

async fn with_head(response: Response, head: &str) -> Response {
    const NOT_OF_THE_FILE: [HeaderName; 3] = [CONTENT_LENGTH, ETAG, LAST_MODIFIED];

    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, LONGEST).await else {
        let text = format!("This page is longer than {LONGEST} bytes. Divide it.\n");
        return (StatusCode::INTERNAL_SERVER_ERROR, text).into_response();
    };
    for name in NOT_OF_THE_FILE {
        parts.headers.remove(name);
    }
    let mut page = String::from_utf8_lossy(&bytes).into_owned();
    if let Some(at) = page.find("</head>") {
        page.insert_str(at, head);
    }
    Response::from_parts(parts, Body::from(page))
}

/// The page of a book that has no good build yet.
fn nothing_built(status: &Status, token: &str) -> (StatusCode, Html<String>) {
    let findings: Vec<String> =
        status.broken.iter().map(|finding| format!("<li>{}</li>", escape_html(finding))).collect();
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <title>The book is not built yet</title>\n{}</head>\n<body>\n\
         <h1>The book is not built yet</h1>\n<noscript><ul>\n{}\n</ul></noscript>\n</body>\n</html>\n",
        head(status, token),
        findings.join("\n")
    );
    (StatusCode::SERVICE_UNAVAILABLE, Html(page))
}
