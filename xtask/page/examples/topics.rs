//! What readers try of `topics`, as a module for the page.
#![cfg(target_arch = "wasm32")]
#![forbid(unsafe_code)]

page::module!(page::chapters::topics::TRIES);
