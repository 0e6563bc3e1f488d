//! The way into a module and back: bytes in, bytes out, and nothing that a page would have to lend it.
//!
//! A page asks for room, writes its question there, calls, and reads the answer:
//!
//! | Function | What it does |
//! |---|---|
//! | `page_alloc(length)` | room for so many bytes; gives its address |
//! | `page_call(address, length)` | takes the room with the question, and gives the address of an answer |
//! | `page_panic()` | after a call that did not return: the address of what the panic said; 0 if there was none |
//! | `page_free(address, length)` | gives back room, or an answer that was read |
//!
//! An answer begins with the number of its bytes, four of them, the lowest first; its room is four bytes longer.
//!
//! After a panic the memory is as the panic left it. The page reads what it said and makes a new instance.
//!
//! Natively these functions are ordinary ones, so that tests and lints see them too.
#![allow(unsafe_code)]

use std::ptr;
#[cfg(target_arch = "wasm32")]
use std::sync::Once;
use std::sync::{Mutex, PoisonError};

use crate::answer::{Try, answer};

/// How many bytes the length of an answer takes.
const LENGTH: usize = size_of::<u32>();

/// What the last panic said.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Exports `page_call` for these tries: what makes an example a module.
#[macro_export]
macro_rules! module {
    ($tries:expr) => {
        /// # Safety
        /// `address` and `length` are those of room from `page_alloc` that was not given back.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn page_call(address: *mut u8, length: usize) -> *mut u8 {
            // SAFETY: what this function asks of its caller is what that one asks.
            unsafe { $crate::ffi::call(&$tries, address, length) }
        }
    };
}

/// Room for `length` bytes, all zero.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn page_alloc(length: usize) -> *mut u8 {
    given(vec![0; length])
}

/// Gives back room.
///
/// # Safety
/// `address` and `length` are those of room from [`page_alloc`], or of an answer with its four bytes, that was not
/// given back before.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub unsafe extern "C" fn page_free(address: *mut u8, length: usize) {
    // SAFETY: what this function asks of its caller is what that one asks.
    drop(unsafe { taken(address, length) });
}

/// What the last panic said, as an answer; null if there was none.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn page_panic() -> *mut u8 {
    let said = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
    said.map_or(ptr::null_mut(), |said| framed(said.as_bytes()))
}

/// Takes the room with a question, answers it, and gives the address of the answer.
///
/// # Safety
/// `address` and `length` are those of room from [`page_alloc`] that was not given back.
pub unsafe fn call(tries: &[Try], address: *mut u8, length: usize) -> *mut u8 {
    keep_panics();
    // SAFETY: what this function asks of its caller is what that one asks.
    let question = unsafe { taken(address, length) };
    framed(&answer(tries, &question))
}

/// A panic ends the call by a trap, which carries no text: so the text is kept.
fn keep_panics() {
    #[cfg(target_arch = "wasm32")]
    {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| std::panic::set_hook(Box::new(|panic| keep(panic.to_string()))));
    }
}

#[cfg(any(test, target_arch = "wasm32"))]
fn keep(said: String) {
    *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
}

/// The bytes with their number before them, given away.
fn framed(bytes: &[u8]) -> *mut u8 {
    // An answer of 4 GiB would not fit into a module's memory.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(LENGTH + bytes.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(bytes);
    given(frame)
}

/// Bytes that belong to the page from now on.
fn given(bytes: Vec<u8>) -> *mut u8 {
    Box::into_raw(bytes.into_boxed_slice()).cast()
}

/// Bytes that the page gives back.
///
/// # Safety
/// `address` and `length` are those of bytes that [`given`] gave and that were not taken since.
unsafe fn taken(address: *mut u8, length: usize) -> Box<[u8]> {
    // SAFETY: `given` made the address from a boxed slice of this length, and it is taken once.
    unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(address, length)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Inputs, Output, WrongInput};

    const TRIES: &[Try] = &[Try { name: "echo", function: echo }];

    fn echo(inputs: &Inputs) -> Result<Output, WrongInput> {
        Ok(Output::new().text(inputs.text("say")?))
    }

    /// What a page does with an answer's address.
    fn read(address: *mut u8) -> String {
        // SAFETY: an answer begins with four bytes that hold its length.
        let length = unsafe { ptr::read_unaligned(address.cast::<[u8; LENGTH]>()) };
        let length = u32::from_le_bytes(length) as usize;
        // SAFETY: so many bytes follow; they are copied before the room is given back, once.
        let bytes = unsafe { std::slice::from_raw_parts(address.add(LENGTH), length) }.to_vec();
        // SAFETY: this is the answer's address and the length of its room.
        unsafe { page_free(address, LENGTH + length) };
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_question_goes_in_and_its_answer_comes_back() {
        let question = br#"{"try": "echo", "inputs": [["say", "2 mugs, \u20ac 3"]]}"#;
        let address = page_alloc(question.len());
        // SAFETY: the room is as long as the question, and nobody else has it.
        unsafe { ptr::copy_nonoverlapping(question.as_ptr(), address, question.len()) };
        // SAFETY: the room comes from `page_alloc`, and is the call's from here on.
        let answer = unsafe { call(TRIES, address, question.len()) };
        assert_eq!(read(answer), r#"{"blocks":[{"kind":"text","text":"2 mugs, € 3"}]}"#);
    }

    #[test]
    fn room_for_nothing_is_room_too() {
        let address = page_alloc(0);
        // SAFETY: the room comes from `page_alloc`, and is the call's from here on.
        let answer = unsafe { call(TRIES, address, 0) };
        assert!(read(answer).starts_with(r#"{"problem":"the page's question is no JSON"#));
        let address = page_alloc(0);
        // SAFETY: the room comes from `page_alloc` and is given back once.
        unsafe { page_free(address, 0) };
    }

    #[test]
    fn what_a_panic_said_can_be_asked_for_once() {
        assert!(page_panic().is_null());
        keep("panicked at a.rs:1:\nno".to_owned());
        assert_eq!(read(page_panic()), "panicked at a.rs:1:\nno");
        assert!(page_panic().is_null());
    }
}
