//! Panics inside risc0 become text: the first one of a request, with its place.

use std::panic::{catch_unwind, set_hook, AssertUnwindSafe, PanicHookInfo};
use std::sync::Mutex;

static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Keep the text of the first panic; say each on stderr in one line.
pub fn install() {
    set_hook(Box::new(|info| {
        let text = describe(info);
        eprintln!("farm-host panicked: {text}");
        if let Ok(mut first) = FIRST.lock() {
            first.get_or_insert(text);
        }
    }));
}

/// Run `work`; a panic comes back as its text.
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    take();
    // What a panic may leave half done is not used again: the process ends, or the value is dropped.
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| take().unwrap_or_else(|| "no message".into()))
}

fn take() -> Option<String> {
    FIRST.lock().ok().and_then(|mut first| first.take())
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    let place = info.location().map(|at| format!(" ({}:{})", crate_path(at.file()), at.line()));
    format!("{}{}", text.unwrap_or_else(|| "no message".into()), place.unwrap_or_default())
}

/// Return a source's path from its crate on: where cargo keeps the crates is nobody's business.
fn crate_path(file: &str) -> &str {
    let kept = file.split_once("/registry/src/").and_then(|(_, kept)| kept.split_once('/'));
    kept.map_or(file, |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::{guard, install};

    #[test]
    fn a_panic_comes_back_as_its_first_text_and_place() {
        install();
        assert_eq!(guard(|| 7), Ok(7));
        let text =
            guard(|| std::thread::scope(|s| s.spawn(|| panic!("first {}", 1)).join().unwrap()));
        let text: Result<(), String> = text;
        let text = text.unwrap_err();
        assert!(text.starts_with("first 1 (src/panics.rs:"), "{text}");
        assert_eq!(guard(|| 8), Ok(8), "what is past does not count");
    }
}
