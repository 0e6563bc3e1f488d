//! What readers try of `events`, as a module for the page.
#![cfg(target_arch = "wasm32")]
#![forbid(unsafe_code)]

page::module!(page::chapters::events::TRIES);
