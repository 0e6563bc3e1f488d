//! Who may ask: pages that this server has shown, in a browser on this machine, and nobody else.
//!
//! A server on the loopback interface is open to every page of every site that the reader visits.
//! Three things keep those out. **Host**: a site that lets its own name point to 127.0.0.1 (DNS rebinding)
//! is read by the browser as that site, and names itself here; it gets nothing, not even a page, because
//! pages carry the token. **Origin and Sec-Fetch-Site**: a request that another site's page sends says so.
//! **Token**: whoever starts or stops a run has read one of our pages since this server began.

use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// The header that carries the token.
pub const TOKEN_HEADER: &str = "x-kafka-book-token";

/// An answer that refuses, as text that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of refusal.
    pub status: StatusCode,
    /// What is wrong and what to do.
    pub text: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Refusal {
        Refusal { status, text: text.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, self.text + "\n").into_response()
    }
}

/// What this server answers to.
#[derive(Debug)]
pub struct Gate {
    token: String,
    hosts: [String; 2],
}

impl Gate {
    /// The gate of a server at this port, with a new token from the operating system.
    ///
    /// # Errors
    /// The operating system has no random numbers.
    pub fn new(port: u16) -> Result<Gate, getrandom::Error> {
        Ok(Gate::with_token(port, random_hex::<32>()?))
    }

    fn with_token(port: u16, token: String) -> Gate {
        Gate { token, hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")] }
    }

    /// What a page sends with each request that starts or stops something.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Every request: it must name this server as this server is named.
    ///
    /// # Errors
    /// It names another, several, or none.
    pub fn host(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match only(headers, HOST.as_str()) {
            Some(host) if self.hosts.iter().any(|ours| host == ours) => Ok(()),
            _ => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                format!("Only this machine can read the book here. Open http://{}/", self.hosts[0]),
            )),
        }
    }

    /// Requests below `/live`: a page of another site must not have sent them.
    ///
    /// # Errors
    /// The browser says that one has.
    pub fn same_site(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = only(headers, HOST.as_str()).unwrap_or_default();
        let ours = |origin: &HeaderValue| origin.as_bytes() == format!("http://{host}").as_bytes();
        let origin = headers.get_all(ORIGIN).iter().all(ours);
        let fetch = headers.get_all("sec-fetch-site").iter().all(|site| site == "same-origin");
        if origin && fetch {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "This was asked by a page of another site. Only the book's own pages may.",
        ))
    }

    /// Requests that start or stop something: JSON, with the token.
    ///
    /// # Errors
    /// The token is missing or of another start, or the content is not declared to be JSON, which a form
    /// of another site cannot send.
    pub fn command(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let token = only(headers, TOKEN_HEADER).unwrap_or_default();
        if !equal(token.as_bytes(), self.token.as_bytes()) {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "This page is older than the server, or not of it. Reload the page.",
            ));
        }
        let kind = only(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        if kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json") {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send JSON, with `Content-Type: application/json`.",
        ))
    }
}

/// `BYTES` random bytes as hexadecimal digits.
///
/// # Errors
/// The operating system has no random numbers.
pub fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The value of a header that stands once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether both are equal, in a time that does not tell where they differ.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 5] = [
        ("host", "127.0.0.1:3092"),
        ("origin", "http://127.0.0.1:3092"),
        ("sec-fetch-site", "same-origin"),
        (TOKEN_HEADER, "secret"),
        ("content-type", "application/json"),
    ];

    fn headers(changes: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in GOOD {
            headers.insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in changes {
            headers.remove(*name);
            for value in value.split('|').filter(|value| !value.is_empty()) {
                headers.append(*name, HeaderValue::from_static(value));
            }
        }
        headers
    }

    /// The status that the gate gives to the good request with these changes; 200 if it lets it in.
    fn status(changes: &[(&'static str, &'static str)]) -> u16 {
        let gate = Gate::with_token(3092, "secret".into());
        let headers = headers(changes);
        let judged = gate
            .host(&headers)
            .and_then(|()| gate.same_site(&headers))
            .and_then(|()| gate.command(&headers));
        judged.map_or_else(|refusal| refusal.status.as_u16(), |()| 200)
    }

    #[test]
    fn our_pages_are_let_in_by_either_name_of_this_machine() {
        assert_eq!(status(&[]), 200);
        assert_eq!(status(&[("host", "localhost:3092"), ("origin", "http://localhost:3092")]), 200);
        // A program that is no browser sends neither.
        assert_eq!(status(&[("origin", ""), ("sec-fetch-site", "")]), 200);
        assert_eq!(status(&[("content-type", "application/json; charset=utf-8")]), 200);
    }

    #[test]
    fn other_hosts_are_refused() {
        for host in ["", "evil.example", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:3092.evil.example"]
        {
            assert_eq!(status(&[("host", host)]), 403, "{host}");
        }
        assert_eq!(status(&[("host", "127.0.0.1:3092|evil.example")]), 403);
    }

    #[test]
    fn other_origins_and_other_sites_are_refused() {
        for origin in ["http://evil.example", "null", "https://127.0.0.1:3092", "http://127.0.0.1"]
        {
            assert_eq!(status(&[("origin", origin)]), 403, "{origin}");
        }
        // Two names of one machine are two origins.
        assert_eq!(status(&[("origin", "http://localhost:3092")]), 403);
        for site in ["cross-site", "same-site", "none"] {
            assert_eq!(status(&[("sec-fetch-site", site)]), 403, "{site}");
        }
    }

    #[test]
    fn without_the_token_and_without_json_nothing_starts() {
        for token in ["", "Secret", "secret2", "secre", "secret|secret"] {
            assert_eq!(status(&[(TOKEN_HEADER, token)]), 403, "{token}");
        }
        for kind in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
            assert_eq!(status(&[("content-type", kind)]), 415, "{kind}");
        }
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (a, b) = (random_hex::<32>().unwrap(), random_hex::<32>().unwrap());
        assert_eq!(a.len(), 64);
        assert_ne!(a, b);
    }
}
